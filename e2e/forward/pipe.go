package forward

import (
	"io"
	"net"
	"sync"
)

// accept joins every connection that arrives at the listener with one from
// dial, until the listener is closed.
func accept(listener net.Listener, dial func() (net.Conn, error)) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer near.Close()
			far, err := dial()
			if err != nil {
				return // closing the near end is all that can be said
			}
			defer far.Close()
			join(near, far)
		}()
	}
}

// join copies both ways until both directions have ended.
func join(a, b net.Conn) {
	var both sync.WaitGroup
	for _, way := range []struct{ to, from net.Conn }{{a, b}, {b, a}} {
		both.Go(func() {
			_, _ = io.Copy(way.to, way.from)
			if half, ok := way.to.(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
		})
	}
	both.Wait()
}
