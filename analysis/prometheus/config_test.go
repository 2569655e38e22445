package prometheus

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/belay-dev/belay/analysis"
)

const whole = `
default: main
providers:
- name: main
  address: http://prometheus.monitoring.svc:9090
- name: payments
  address: https://mimir.example.com/prometheus
  namespaces: [payments, ledger]
  bearerTokenFile: /etc/belay/token
  tls: {caFile: /etc/belay/ca.crt, serverName: mimir}
  headers: {X-Scope-OrgID: payments}
  timeout: 5s
  concurrency: 2
  maxSamples: 10
  maxBytes: 1000
`

func TestParse(t *testing.T) {
	file, err := Parse([]byte(whole))
	if err != nil {
		t.Fatal(err)
	}
	p := file.Providers[1]
	if file.Default != "main" || p.Timeout.Duration != 5*time.Second || p.TLS.ServerName != "mimir" ||
		p.Headers["X-Scope-OrgID"] != "payments" || p.MaxBytes != 1000 || len(p.Namespaces) != 2 {
		t.Errorf("read %+v", file)
	}
}

func TestDefaults(t *testing.T) {
	c := Config{Name: "main"}.withDefaults()
	if c.Timeout.Duration != DefaultTimeout || c.Concurrency != DefaultConcurrency || c.MaxSamples != DefaultMaxSamples || c.MaxBytes != DefaultMaxBytes {
		t.Errorf("defaults %+v", c)
	}
}

func TestConfigurationErrors(t *testing.T) {
	tests := map[string]struct{ yaml, want string }{
		"unknown field":     {`providers: [{name: a, url: "http://x"}]`, `unknown field "url"`},
		"repeated field":    {"default: a\ndefault: b", `already set`},
		"no name":           {`providers: [{address: "http://x"}]`, `providers[0] "": name is empty`},
		"name twice":        {`providers: [{name: a, address: "http://x"}, {name: a, address: "http://y"}]`, `providers[1]: name "a" is used twice`},
		"no address":        {`providers: [{name: a}]`, `address "" is not a URL`},
		"another scheme":    {`providers: [{name: a, address: "file:///etc/passwd"}]`, `address "file:///etc/passwd" is not a URL`},
		"no scheme":         {`providers: [{name: a, address: "prometheus:9090"}]`, `is not a URL: write it as http://host:port`},
		"credentials":       {`providers: [{name: a, address: "http://u:p@x"}]`, `address contains credentials: use basicAuth`},
		"both credentials":  {`providers: [{name: a, address: "http://x", bearerTokenFile: t, basicAuth: {username: u, passwordFile: p}}]`, `exclude each other`},
		"half a basic auth": {`providers: [{name: a, address: "http://x", basicAuth: {username: u}}]`, `basicAuth needs username and passwordFile`},
		"negative":          {`providers: [{name: a, address: "http://x", concurrency: -1}]`, `must not be negative`},
		"unknown default":   {`{default: b, providers: [{name: a, address: "http://x"}]}`, `default "b" is unknown: name one of a`},
		"bad duration":      {`providers: [{name: a, address: "http://x", timeout: soon}]`, `invalid duration "soon"`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(tc.yaml)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestCertificateFilesAreReadAtTheStart(t *testing.T) {
	_, err := New(Config{Name: "main", Address: "https://x", TLS: TLS{CAFile: "testdata/no-such-ca"}})
	if err == nil || !strings.Contains(err.Error(), `metric source "main"`) {
		t.Errorf("error %v, want one that names the source", err)
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "metrics.yaml")
	if err := os.WriteFile(path, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	if file, err := Load(path); err != nil || len(file.Providers) != 2 {
		t.Errorf("%+v, %v", file, err)
	}
	if _, err := Load(path + ".no"); err == nil {
		t.Error("no error for a file that is not there")
	}
}

func TestGet(t *testing.T) {
	file := File{Default: "main", Providers: []Config{
		{Name: "main", Address: "http://main"},
		{Name: "payments", Address: "http://payments", Namespaces: []string{"payments"}},
	}}
	single := File{Providers: []Config{{Name: "only", Address: "http://only"}}}
	noDefault := File{Providers: file.Providers}
	tests := map[string]struct {
		file            File
		name, namespace string
		want, err       string
	}{
		"by name":             {file, "main", "shop", "main", ""},
		"default":             {file, "", "shop", "main", ""},
		"a single one":        {single, "", "shop", "only", ""},
		"allowed namespace":   {file, "payments", "payments", "payments", ""},
		"another namespace":   {file, "payments", "shop", "", `metrics source "payments" may not be used from namespace "shop": set spec.analysis.provider to one of main, or`},
		"unknown":             {file, "mian", "payments", "", `metrics source "mian" is unknown: set spec.analysis.provider to one of main, payments`},
		"unknown, elsewhere":  {file, "mian", "shop", "", `one of main`},
		"no default":          {noDefault, "", "shop", "", `spec.analysis.provider is empty and the controller has no default metrics source: name one of main`},
		"nothing configured":  {File{}, "", "shop", "", `name one of (none)`},
		"unknown and nothing": {File{}, "x", "shop", "", `"x" is unknown: set spec.analysis.provider to one of (none)`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			providers, err := NewProviders(tc.file)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(providers.Close)
			got, err := providers.Get(tc.name, tc.namespace)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) || !analysis.IsConfiguration(err) {
					t.Errorf("error %v, want %s", err, tc.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if p := got.(*Provider); p.config.Name != tc.want {
				t.Errorf("got %s, want %s", p.config.Name, tc.want)
			}
		})
	}
}
