package routers

import (
	"fmt"
	"regexp"
	"strconv"
)

// Fence orders the writes of the controller: the attempt first, then the sequence of the recorded plan. The API server
// refuses a write with a lower one.
type Fence struct {
	Attempt, Sequence int64
}

func (f Fence) String() string { return fmt.Sprintf("%d.%d", f.Attempt, f.Sequence) }

var fenceSyntax = regexp.MustCompile(`^([0-9]{1,9})\.([0-9]{1,9})$`)

// ParseFence reads "<attempt>.<sequence>"; false: it is none.
func ParseFence(value string) (Fence, bool) {
	m := fenceSyntax.FindStringSubmatch(value)
	if m == nil {
		return Fence{}, false
	}
	var f Fence
	f.Attempt, _ = strconv.ParseInt(m[1], 10, 64)
	f.Sequence, _ = strconv.ParseInt(m[2], 10, 64)
	return f, true
}

// Gone is what is written to take an intent away: admission removes it, unless the stored one is newer than what the fence
// says.
func (f Fence) Gone() string { return f.String() + "/-" }

// Before says that a fence is lower than another.
func (f Fence) Before(other Fence) bool {
	return f.Attempt < other.Attempt || (f.Attempt == other.Attempt && f.Sequence < other.Sequence)
}

// Split is the intent on a route: the canary gets Weight of Scale of the Service's share.
type Split struct {
	Fence
	// Service whose share is split, and the canary's Service.
	Service, Canary string
	// Weight is 0…Scale; Scale is 100 or 1000.
	Weight, Scale int32
}

var splitSyntax = regexp.MustCompile(`^([0-9]{1,9})\.([0-9]{1,9})/([a-z0-9-]{1,63})/([a-z0-9-]{1,63})/(0|[1-9][0-9]{0,3})/(100|1000)$`)

// ParseSplit reads an intent. Anything that is not one in every detail counts as absent.
func ParseSplit(value string) (Split, bool) {
	m := splitSyntax.FindStringSubmatch(value)
	if m == nil {
		return Split{}, false
	}
	s := Split{Service: m[3], Canary: m[4]}
	s.Attempt, _ = strconv.ParseInt(m[1], 10, 64)
	s.Sequence, _ = strconv.ParseInt(m[2], 10, 64)
	s.Weight, s.Scale = atoi32(m[5]), atoi32(m[6])
	if s.Weight > s.Scale {
		return Split{}, false
	}
	return s, true
}

func atoi32(digits string) int32 {
	n, _ := strconv.ParseInt(digits, 10, 32) // the pattern bounds it to four digits
	return int32(n)
}

func (s Split) String() string {
	return fmt.Sprintf("%s/%s/%s/%d/%d", s.Fence, s.Service, s.Canary, s.Weight, s.Scale)
}

// Permille is the canary's share, 0…1000.
func (s Split) Permille() int32 { return s.Weight * (1000 / s.Scale) }

// ScaleFor is the smallest scale in which all shares (permille) are whole numbers.
func ScaleFor(shares []int32) int32 {
	for _, p := range shares {
		if p%10 != 0 {
			return 1000
		}
	}
	return 100
}

// WeightIn gives a share in permille as a weight of the given scale.
func WeightIn(permille, scale int32) int32 { return permille / (1000 / scale) }
