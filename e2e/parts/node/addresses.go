package main

import (
	"fmt"
	"net/netip"
	"sync"
)

// addresses hands out the addresses of a range, each once.
type addresses struct {
	mu     sync.Mutex
	prefix netip.Prefix
	last   netip.Addr
}

// reserved is how many addresses at the start of the range are for the cluster's other parts.
const reserved = 256

func newAddresses(cidr string) (*addresses, error) {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return nil, fmt.Errorf("--cidr %q: %w", cidr, err)
	}
	prefix = prefix.Masked()
	if !prefix.Addr().Is4() || prefix.Bits() > 22 {
		return nil, fmt.Errorf("--cidr %q: want an IPv4 range of /22 or larger, as 10.244.0.0/16", cidr)
	}
	last := prefix.Addr()
	for range reserved {
		last = last.Next()
	}
	return &addresses{prefix: prefix, last: last}, nil
}

// node is the node's own address.
func (a *addresses) node() string { return a.prefix.Addr().Next().String() }

// next is an address that no pod had before.
func (a *addresses) next() (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	next := a.last.Next()
	// Neither the network's nor the broadcast address of a /24 is special here, but people stumble over them.
	for next.As4()[3] == 0 || next.As4()[3] == 255 {
		next = next.Next()
	}
	if !a.prefix.Contains(next) {
		return "", fmt.Errorf("all addresses of %s were used: restart the cluster or give the node a larger --cidr", a.prefix)
	}
	a.last = next
	return next.String(), nil
}
