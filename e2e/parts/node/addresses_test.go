package main

import (
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	ips, err := newAddresses("10.244.0.0/16")
	if err != nil {
		t.Fatal(err)
	}
	if got := ips.node(); got != "10.244.0.1" {
		t.Errorf("node = %s", got)
	}
	seen := map[string]bool{}
	var first, last string
	for range 600 {
		ip, err := ips.next()
		if err != nil {
			t.Fatal(err)
		}
		if seen[ip] {
			t.Fatalf("%s was given out twice", ip)
		}
		seen[ip] = true
		if first == "" {
			first = ip
		}
		last = ip
	}
	if first != "10.244.1.1" || last != "10.244.3.92" {
		t.Errorf("first = %s, last = %s, want 10.244.1.1 and 10.244.3.92", first, last)
	}
}

func TestAddressesRunOut(t *testing.T) {
	ips, err := newAddresses("10.244.0.0/22")
	if err != nil {
		t.Fatal(err)
	}
	given := 0
	for {
		if _, err = ips.next(); err != nil {
			break
		}
		given++
	}
	if given != 3*254 || !strings.Contains(err.Error(), "10.244.0.0/22") {
		t.Errorf("gave out %d addresses, then %v", given, err)
	}
}

func TestBadRange(t *testing.T) {
	for name, cidr := range map[string]string{"not a range": "10.244.0.0", "too small": "10.244.0.0/24", "not IPv4": "fd00::/64"} {
		t.Run(name, func(t *testing.T) {
			if _, err := newAddresses(cidr); err == nil || !strings.Contains(err.Error(), cidr) {
				t.Errorf("error = %v, want one that names %s", err, cidr)
			}
		})
	}
}
