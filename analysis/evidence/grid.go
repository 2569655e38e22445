package evidence

import "math"

// grid is a mixture over candidates: nodes, and their masses.
type grid struct {
	nodes []node
	mass  []float64
}

const gridPoints = 9

// geometric gives the points low·(high/low)^{i/8} for i = 0…8.
func geometric(low, high float64) []float64 {
	points := make([]float64, gridPoints)
	for i := range points {
		points[i] = low * math.Pow(high/low, float64(i)/(gridPoints-1))
	}
	return points
}

// rejectGrid bets on a canary that is e^0.15 to e^4 times worse than the margin, uniformly.
func rejectGrid() grid {
	var g grid
	for _, delta := range geometric(0.15, 4) {
		g.nodes = append(g.nodes, newNode(delta))
		g.mass = append(g.mass, 1.0/gridPoints)
	}
	return g
}

// Shares of the accept grid: most of it on canaries that are e^-0.05 to e^-3 times the margin, the
// rest on one that has no errors of its own at all.
const (
	acceptSpread = 0.7
	acceptClean  = 0.3
	cleanDelta   = -40
)

// acceptGrid bets on a canary that is better than the margin.
func acceptGrid() grid {
	var g grid
	for _, delta := range geometric(0.05, 3) {
		g.nodes = append(g.nodes, newNode(-delta))
		g.mass = append(g.mass, acceptSpread/gridPoints)
	}
	g.nodes = append(g.nodes, newNode(cleanDelta))
	g.mass = append(g.mass, acceptClean)
	return g
}
