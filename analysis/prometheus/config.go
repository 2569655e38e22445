package prometheus

import (
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	commoncfg "github.com/prometheus/common/config"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Bounds of a source whose configuration gives none.
const (
	DefaultTimeout     = 10 * time.Second
	DefaultConcurrency = 8
	DefaultMaxSamples  = 1_000
	DefaultMaxBytes    = 4 << 20
)

// File is the controller's configuration of metric sources.
type File struct {
	// Default is the source of Rollouts that name none. With a single source it is that one.
	Default string `json:"default,omitempty"`
	// Providers are the sources, with distinct names.
	Providers []Config `json:"providers"`
}

// Config of one source.
type Config struct {
	// Name that Rollouts use in spec.analysis.provider.
	Name string `json:"name"`
	// Address is the base URL, http or https, without /api/v1.
	Address string `json:"address"`
	// Namespaces whose Rollouts may use it. Empty: all.
	Namespaces []string `json:"namespaces,omitempty"`
	// BearerTokenFile holds a token; it is read again when it changes.
	BearerTokenFile string `json:"bearerTokenFile,omitempty"`
	// BasicAuth instead of a token.
	BasicAuth *BasicAuth `json:"basicAuth,omitempty"`
	// TLS for https addresses.
	TLS TLS `json:"tls,omitempty"`
	// Headers sent with each request, as X-Scope-OrgID for a tenant.
	Headers map[string]string `json:"headers,omitempty"`
	// Timeout of one query. Default 10s.
	Timeout metav1.Duration `json:"timeout,omitempty"`
	// Concurrency is the number of queries that run at once. Default 8.
	Concurrency int `json:"concurrency,omitempty"`
	// MaxSamples of an answer. Default 1000.
	MaxSamples int `json:"maxSamples,omitempty"`
	// MaxBytes of an answer. Default 4 MiB.
	MaxBytes int64 `json:"maxBytes,omitempty"`
}

// BasicAuth is a user and the file that holds the password.
type BasicAuth struct {
	Username     string `json:"username"`
	PasswordFile string `json:"passwordFile"`
}

// TLS of a source.
type TLS struct {
	// CAFile that the server's certificate is verified with. Empty: the system's.
	CAFile string `json:"caFile,omitempty"`
	// CertFile and KeyFile of a client certificate.
	CertFile string `json:"certFile,omitempty"`
	KeyFile  string `json:"keyFile,omitempty"`
	// ServerName to verify instead of the address' host.
	ServerName string `json:"serverName,omitempty"`
	// InsecureSkipVerify accepts any certificate.
	InsecureSkipVerify bool `json:"insecureSkipVerify,omitempty"`
}

// Load reads and validates a configuration file. Unknown fields are errors.
func Load(path string) (File, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return File{}, fmt.Errorf("metric sources: %w", err)
	}
	return Parse(raw)
}

// Parse is Load on the content of a file.
func Parse(raw []byte) (File, error) {
	var file File
	if err := yaml.UnmarshalStrict(raw, &file); err != nil {
		return File{}, fmt.Errorf("metric sources: %w", err)
	}
	return file, file.validate()
}

func (f *File) validate() error {
	names := make([]string, 0, len(f.Providers))
	for i := range f.Providers {
		c := &f.Providers[i]
		if err := c.validate(); err != nil {
			return fmt.Errorf("metric sources: providers[%d] %q: %w", i, c.Name, err)
		}
		if slices.Contains(names, c.Name) {
			return fmt.Errorf("metric sources: providers[%d]: name %q is used twice: rename one", i, c.Name)
		}
		names = append(names, c.Name)
	}
	switch {
	case f.Default == "" && len(names) == 1:
		f.Default = names[0]
	case f.Default != "" && !slices.Contains(names, f.Default):
		return fmt.Errorf("metric sources: default %q is unknown: name one of %s", f.Default, list(names))
	}
	return nil
}

func (c *Config) validate() error {
	if c.Name == "" {
		return fmt.Errorf("name is empty: give it one")
	}
	u, err := url.Parse(c.Address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("address %q is not a URL: write it as http://host:port or https://host/prefix", c.Address)
	}
	if u.User != nil {
		return fmt.Errorf("address contains credentials: use basicAuth or bearerTokenFile")
	}
	if err := c.validateAuth(); err != nil {
		return err
	}
	if c.Timeout.Duration < 0 || c.Concurrency < 0 || c.MaxSamples < 0 || c.MaxBytes < 0 {
		return fmt.Errorf("timeout, concurrency, maxSamples and maxBytes must not be negative; 0 is the default")
	}
	return nil
}

func (c *Config) validateAuth() error {
	switch {
	case c.BasicAuth == nil:
	case c.BearerTokenFile != "":
		return fmt.Errorf("basicAuth and bearerTokenFile exclude each other: remove one")
	case c.BasicAuth.Username == "" || c.BasicAuth.PasswordFile == "":
		return fmt.Errorf("basicAuth needs username and passwordFile")
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.Timeout.Duration == 0 {
		c.Timeout.Duration = DefaultTimeout
	}
	if c.Concurrency == 0 {
		c.Concurrency = DefaultConcurrency
	}
	if c.MaxSamples == 0 {
		c.MaxSamples = DefaultMaxSamples
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = DefaultMaxBytes
	}
	return c
}

// transport is the configuration in the form of Prometheus' own client library. Redirects are not
// followed: credentials go to the configured address only.
func (c *Config) transport() commoncfg.HTTPClientConfig {
	out := commoncfg.HTTPClientConfig{
		EnableHTTP2: true,
		TLSConfig: commoncfg.TLSConfig{
			CAFile: c.TLS.CAFile, CertFile: c.TLS.CertFile, KeyFile: c.TLS.KeyFile,
			ServerName: c.TLS.ServerName, InsecureSkipVerify: c.TLS.InsecureSkipVerify,
		},
		ProxyConfig: commoncfg.ProxyConfig{ProxyFromEnvironment: true},
	}
	if c.BearerTokenFile != "" {
		out.Authorization = &commoncfg.Authorization{Type: "Bearer", CredentialsFile: c.BearerTokenFile}
	}
	if c.BasicAuth != nil {
		out.BasicAuth = &commoncfg.BasicAuth{Username: c.BasicAuth.Username, PasswordFile: c.BasicAuth.PasswordFile}
	}
	if len(c.Headers) > 0 {
		out.HTTPHeaders = &commoncfg.Headers{Headers: map[string]commoncfg.Header{}}
		for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
			out.HTTPHeaders.Headers[name] = commoncfg.Header{Values: []string{c.Headers[name]}}
		}
	}
	return out
}

func list(names []string) string {
	if len(names) == 0 {
		return "(none)"
	}
	sorted := slices.Sorted(slices.Values(names))
	return strings.Join(sorted, ", ")
}
