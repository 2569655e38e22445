package prometheus

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// FuzzParse reads arbitrary configuration: there is a mistake that is told, or every source can be reached by a distinct
// name at an address without credentials, and what was read says the same when it is written and read again.
func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("providers: [{name: a, address: \"http://x\"}]")
	f.Add("providers: [{name: a, address: \"http://x\", basicAuth: {username: u, passwordFile: p}, timeout: 1m}, {name: b, address: \"https://[::1]:9/p\"}]")
	f.Add("providers: [{name: a, address: \"http://u@x\"}]")
	f.Add("default: a\nproviders: null")
	f.Add("&a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := Parse([]byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "metric sources: ") {
				t.Fatalf("%q does not say what it is about", err)
			}
			return
		}
		var names []string
		for _, c := range file.Providers {
			u, err := url.Parse(c.Address)
			if err != nil || u.Host == "" || u.User != nil || !slices.Contains([]string{"http", "https"}, u.Scheme) {
				t.Errorf("%q is taken for an address", c.Address)
			}
			if c.Name == "" || slices.Contains(names, c.Name) {
				t.Errorf("%q is the name of a source beside %q", c.Name, names)
			}
			names = append(names, c.Name)
			d := c.withDefaults()
			if d.Timeout.Duration <= 0 || d.Concurrency <= 0 || d.MaxSamples <= 0 || d.MaxBytes <= 0 {
				t.Errorf("source %q has no bounds: %+v", c.Name, d)
			}
		}
		if file.Default != "" && !slices.Contains(names, file.Default) || file.Default == "" && len(names) == 1 {
			t.Errorf("the default is %q, there are %q", file.Default, names)
		}
		again(t, file)
	})
}

func again(t *testing.T, file File) {
	t.Helper()
	written, err := yaml.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	read, err := Parse(written)
	if err != nil {
		t.Fatalf("written as\n%s\nit is refused: %v", written, err)
	}
	twice, err := yaml.Marshal(read)
	if err != nil || string(twice) != string(written) {
		t.Errorf("became\n%s\nfrom\n%s\n%v", twice, written, err)
	}
}

// FuzzStable looks for what a server can say that would make a status longer than it should be, or different at each try.
func FuzzStable(f *testing.F) {
	for _, seed := range []string{
		"parse error: unexpected \"}\" at 1:16", "dial tcp 10.0.0.1:9090: refused", "dial tcp [::1]:9090", "http://prometheus.monitoring:9090/x?y",
		"prometheus.monitoring:9090", "4bf92f3577b34da6a3ce929d0e0e4736", "a\n\n b\u00a0c", strings.Repeat("ä", 400), "\xff\xfe 1.2.3.4", "http://…1.2.3.4:5",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := stable(text)
		if n := utf8.RuneCountInString(got); n > maxText+1 {
			t.Errorf("%d characters", n)
		}
		if strings.ContainsAny(got, "\n\r\t") || got != strings.TrimSpace(got) {
			t.Errorf("%q is no line", got)
		}
		if again := stable(got); again != got {
			t.Errorf("%q became %q, and that %q", text, got, again)
		}
		if found := address.FindString(got); found != "" {
			t.Errorf("%q still names %q", got, found)
		}
	})
}
