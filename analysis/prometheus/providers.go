package prometheus

import (
	"slices"

	"github.com/belay-dev/belay/analysis"
)

// Providers are the named sources of a controller.
type Providers struct {
	fallback string
	byName   map[string]*Provider
}

// NewProviders makes a provider of each source of the file.
func NewProviders(file File) (*Providers, error) {
	if err := file.validate(); err != nil {
		return nil, err
	}
	out := &Providers{fallback: file.Default, byName: map[string]*Provider{}}
	for _, c := range file.Providers {
		p, err := New(c)
		if err != nil {
			return nil, err
		}
		out.byName[c.Name] = p
	}
	return out, nil
}

// Get returns the provider of that name for Rollouts of the namespace; the empty name is the
// default. An unknown name and one that the namespace may not use are errors of kind
// Configuration that list those it may.
func (p *Providers) Get(name, namespace string) (analysis.Provider, error) {
	provider, err := p.find(name, namespace)
	if err != nil {
		return nil, err // Not the nil *Provider, which would be an interface that is not nil.
	}
	return provider, nil
}

// Reader is Get for raw samples.
func (p *Providers) Reader(name, namespace string) (analysis.Reader, error) {
	provider, err := p.find(name, namespace)
	if err != nil {
		return nil, err
	}
	return provider, nil
}

func (p *Providers) find(name, namespace string) (*Provider, error) {
	if name == "" {
		if p.fallback == "" {
			return nil, refused("spec.analysis.provider is empty and the controller has no default metrics source: name one of " + list(p.usable(namespace)))
		}
		name = p.fallback
	}
	provider, ok := p.byName[name]
	if !ok {
		return nil, refused("metrics source \"" + name + "\" is unknown: set spec.analysis.provider to one of " + list(p.usable(namespace)))
	}
	if !provider.serves(namespace) {
		return nil, refused("metrics source \"" + name + "\" may not be used from namespace \"" + namespace +
			"\": set spec.analysis.provider to one of " + list(p.usable(namespace)) + ", or have the namespace added to the controller's configuration")
	}
	return provider, nil
}

// Close ends idle connections.
func (p *Providers) Close() {
	for _, provider := range p.byName {
		provider.Close()
	}
}

func (p *Providers) usable(namespace string) []string {
	var names []string
	for name, provider := range p.byName {
		if provider.serves(namespace) {
			names = append(names, name)
		}
	}
	return names
}

func (p *Provider) serves(namespace string) bool {
	return len(p.config.Namespaces) == 0 || slices.Contains(p.config.Namespaces, namespace)
}

func refused(text string) error { return &analysis.Error{Kind: analysis.Configuration, Text: text} }
