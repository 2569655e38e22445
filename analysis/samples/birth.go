package samples

// targets says for each target and each moment at which a series of it went on, when its sample before
// was: the target was scraped then, and it is the same target.
type targets map[string]map[int64]int64

// targetLabels tell what was scraped. Sources put them there, and not what is scraped, so they are the
// same for all series of a scrape.
var targetLabels = [...]string{"cluster", "container", "instance", "job", "namespace", "pod", "prometheus", "prometheus_replica", "replica"}

// targetOf is empty where the labels do not tell, as with recorded series.
func targetOf(labels map[string]string) string {
	if labels["instance"] == "" {
		return ""
	}
	var out string
	for _, name := range targetLabels {
		out += labels[name] + "\xff"
	}
	return out
}

// see notes at which moments the stream went on.
func (t targets) see(s *stream, gap int64) {
	target := targetOf(s.labels)
	if target == "" {
		return
	}
	if t[target] == nil {
		t[target] = map[int64]int64{}
	}
	for k := range s.times {
		if s.follows(k, gap) {
			t[target][s.times[k]] = max(t[target][s.times[k]], s.times[k-1])
		}
	}
}

// fromZero says whether the first sample k of a counter is what it gained in the tick that starts at
// start. It is if the counter was born in the tick: it says so itself, or its pod was, or its target was
// scraped before and did not have it yet, while another series of the target was there both times.
func (a *armReading) fromZero(s *stream, k int, start int64) bool {
	now := s.times[k]
	born := func(t int64) bool { return t > start && t <= now }
	if s.created != 0 {
		return born(s.created)
	}
	if pod, ok := a.pods[a.podOf(s.labels)]; ok && born(pod.UnixMilli()) {
		return true
	}
	before, ok := a.targets[targetOf(s.labels)][now]
	return ok && (k == 0 || before > s.times[k-1])
}
