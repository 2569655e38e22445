package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// Options say for whom the proxy is.
type Options struct {
	// Kubeconfig by which the client would reach the API server. Through is the file of the one by which it does so
	// through the proxy.
	Kubeconfig, Through string
	// Window shows the client only the objects of this namespace when it lists or watches a kind in all namespaces. So many
	// controllers, each of which takes itself for the only one, can work in one cluster. Empty: it sees everything.
	Window string
	// Write decides what becomes of a write. The answer that it returns is given to the client; nil: the connection
	// breaks. It is called for several writes at a time if the client sends them so. nil: every write is passed on.
	Write func(w *Write) *Answer
}

// Proxy serves until Close.
type Proxy struct {
	options Options
	server  *http.Server
	to      *url.URL
	direct  *http.Transport
	rest    *httputil.ReverseProxy

	mu     sync.Mutex
	writes int
}

// Start begins to serve at a free port of this machine.
func Start(o Options) (*Proxy, error) {
	config, err := clientcmd.LoadFromFile(o.Kubeconfig)
	if err != nil {
		return nil, err
	}
	if len(config.Clusters) != 1 {
		return nil, fmt.Errorf("%s names %d clusters, want one", o.Kubeconfig, len(config.Clusters))
	}
	p := &Proxy{options: o}
	for _, cluster := range config.Clusters {
		if err := p.reach(cluster); err != nil {
			return nil, err
		}
	}
	certificate, err := selfSigned(time.Now())
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	for _, cluster := range config.Clusters {
		cluster.Server = "https://" + listener.Addr().String()
		cluster.CertificateAuthority, cluster.CertificateAuthorityData = "", certificate.pem
	}
	if err := clientcmd.WriteToFile(*config, o.Through); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.serve(listener, certificate.pair)
	return p, nil
}

// reach learns where the API server is and how to know it.
func (p *Proxy) reach(cluster *api.Cluster) error {
	var err error
	if p.to, err = url.Parse(cluster.Server); err != nil {
		return err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(cluster.CertificateAuthorityData) {
		return fmt.Errorf("%s has no certificate-authority-data", p.options.Kubeconfig)
	}
	p.direct = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	p.rest = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(p.to)
			p.narrow(r.Out.URL)
		},
		Transport: p.direct,
		ErrorLog:  silent(),
	}
	return nil
}

func (p *Proxy) serve(listener net.Listener, certificate tls.Certificate) {
	p.server = &http.Server{
		Handler: p, ReadHeaderTimeout: 10 * time.Second, ErrorLog: silent(),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12},
	}
	go func() { _ = p.server.ServeTLS(listener, "", "") }() // it ends by Close alone
}

// silent: a client that is killed breaks its connections, and that is no news.
func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// Close breaks every connection.
func (p *Proxy) Close() {
	_ = p.server.Close()
	p.direct.CloseIdleConnections()
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	if p.options.Write == nil || !counts(r) {
		p.rest.ServeHTTP(to, r)
		return
	}
	w, err := p.read(r)
	if err != nil {
		return // the client went away while it sent
	}
	answer := p.options.Write(w)
	if answer == nil {
		panic(http.ErrAbortHandler) // the way of net/http to break a connection
	}
	answer.give(to)
}
