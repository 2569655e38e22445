package cluster

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
)

// The range lies below the one from which the kernel takes the near end of
// outgoing connections, so that a port that is free now is still free when the
// part that is to listen on it has started.
const firstPort, lastPort = 20000, 32000

// ports hands out free ports, each once.
type ports struct {
	mu   sync.Mutex
	next int
}

func newPorts() *ports {
	return &ports{next: firstPort + rand.IntN((lastPort-firstPort)/2)}
}

func (p *ports) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for ; p.next < lastPort; p.next++ {
		listener, err := net.Listen("tcp", fmt.Sprintf(":%d", p.next))
		if err != nil {
			continue
		}
		port := p.next
		p.next++
		return port, listener.Close()
	}
	return 0, fmt.Errorf("no free port between %d and %d", firstPort, lastPort)
}
