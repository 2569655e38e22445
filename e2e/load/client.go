package load

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Options say what to send. Only URL and RatePerSecond are required.
type Options struct {
	URL           string
	Host          string // Host header, if another than the URL's
	Method        string // POST unless set; the body is one byte with any method
	RatePerSecond float64
	Workers       int           // most requests under way at once, 256 unless set
	Timeout       time.Duration // for one request, 10 s unless set
}

func (o Options) withDefaults() Options {
	if o.Method == "" {
		o.Method = http.MethodPost
	}
	if o.Workers == 0 {
		o.Workers = 256
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	if o.RatePerSecond <= 0 {
		o.RatePerSecond = 1
	}
	return o
}

// Client sends requests until its context ends or Stop is called.
type Client struct {
	options Options
	http    *http.Client
	stop    context.CancelFunc
	done    chan struct{}

	mu      sync.Mutex
	sent    int
	skipped int
	answers []Answer
}

// Start begins to send. A URL that cannot be used shows as connection errors.
func Start(ctx context.Context, options Options) *Client {
	options = options.withDefaults()
	ctx, stop := context.WithCancel(ctx)
	c := &Client{
		options: options,
		stop:    stop,
		done:    make(chan struct{}),
		http: &http.Client{
			Timeout: options.Timeout,
			Transport: &http.Transport{
				MaxIdleConns:        options.Workers,
				MaxIdleConnsPerHost: options.Workers,
				IdleConnTimeout:     time.Minute,
				DisableCompression:  true,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	go c.run(ctx)
	return c
}

// Stop sends no more requests and returns when the last one under way has its answer.
func (c *Client) Stop() {
	c.stop()
	<-c.done
}

// Done is closed when the context has ended and every request has its answer.
func (c *Client) Done() <-chan struct{} { return c.done }

func (c *Client) run(ctx context.Context) {
	defer close(c.done)
	defer c.http.CloseIdleConnections()
	var underway sync.WaitGroup
	defer underway.Wait()
	free := make(chan struct{}, c.options.Workers)
	timer := time.NewTimer(0)
	defer timer.Stop()
	start := time.Now()
	for n := 1; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		select {
		case free <- struct{}{}:
			c.count(&c.sent)
			underway.Go(func() {
				c.record(c.send(context.WithoutCancel(ctx)))
				<-free
			})
		default:
			c.count(&c.skipped)
		}
		due := start.Add(time.Duration(float64(n) / c.options.RatePerSecond * float64(time.Second)))
		timer.Reset(time.Until(due))
	}
}

// onceOnly hides that a body could be read again: net/http sends a request a second time when it can.
type onceOnly struct{ io.Reader }

func (c *Client) send(ctx context.Context) Answer {
	start := time.Now()
	req, err := http.NewRequestWithContext(ctx, c.options.Method, c.options.URL, onceOnly{strings.NewReader("x")})
	if err != nil {
		return Answer{Err: err.Error()}
	}
	req.ContentLength = 1
	req.Host = c.options.Host
	resp, err := c.http.Do(req)
	if err != nil {
		return Answer{Err: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	answer := Answer{Revision: resp.Header.Get("X-Revision"), Status: resp.StatusCode}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		answer.Status, answer.Err = 0, err.Error()
	}
	answer.Took = time.Since(start)
	return answer
}

func (c *Client) count(counter *int) {
	c.mu.Lock()
	*counter++
	c.mu.Unlock()
}

// record stamps the answer under the lock, so that answers are in the order of their times.
func (c *Client) record(a Answer) {
	c.mu.Lock()
	a.At = time.Now()
	c.answers = append(c.answers, a)
	c.mu.Unlock()
}
