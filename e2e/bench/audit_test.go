package bench

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

const layout = "2006-01-02T15:04:05.000000Z07:00"

// line of an audit log: a request that came some milliseconds after noon and took one.
func line(user, verb, uri, object string, code, after int) string {
	at := noon.Add(time.Duration(after) * time.Millisecond)
	return fmt.Sprintf(`{"stage":"ResponseComplete","verb":%q,"requestURI":%q,"user":{"username":%q},"objectRef":%s,`+
		`"responseStatus":{"code":%d},"requestReceivedTimestamp":%q,"stageTimestamp":%q}`+"\n",
		verb, uri, user, object, code, at.Format(layout), at.Add(time.Millisecond).Format(layout))
}

const (
	route  = `{"resource":"httproutes","namespace":"shop"}`
	status = `{"resource":"rollouts","subresource":"status","namespace":"shop"}`
	other  = `{"resource":"httproutes","namespace":"other"}`
)

func TestAudit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	text := line("us", "update", "/x", status, 200, 0) +
		line("them", "patch", "/x", route, 200, 1) +
		line("us", "patch", "/x", route, 409, 2) +
		line("us", "patch", "/x?dryRun=All", route, 200, 3) +
		line("us", "patch", "/x", other, 200, 4) +
		line("us", "patch", "/x", route, 200, 5) +
		line("us", "get", "/api?timeout=32s", "null", 200, 6)
	watch := line("us", "watch", "/x?watch=true", status, 200, 7)
	text += strings.Replace(watch, "ResponseComplete", "ResponseStarted", 1) + watch
	save(t, path, text+`{"stage":"Resp`)
	a := audit{path: path, user: "us"}
	for range 2 { // the second time there is nothing new
		if err := a.catchUp(); err != nil {
			t.Fatal(err)
		}
	}
	if len(a.requests) != 7 {
		t.Fatalf("%d requests, want 7: %+v", len(a.requests), a.requests)
	}
	if got := a.requests[5].kind; got != "/api" {
		t.Errorf("a request without a resource is of kind %q", got)
	}
	if r, ok := a.stored(noon, "shop", "patch", "httproutes"); !ok || !r.answered.Equal(noon.Add(6*time.Millisecond)) {
		t.Errorf("the first patch that was stored: %+v, %t", r, ok)
	}
	if got, want := tally(a.between(noon, noon.Add(time.Second), "shop")), map[string]int{"rollouts/status": 1, "httproutes": 2}; !maps.Equal(got, want) {
		t.Errorf("writes %v, want %v", got, want)
	}
	if got := len(a.between(noon.Add(time.Millisecond), noon.Add(5*time.Millisecond), "")); got != 3 {
		t.Errorf("%d requests within four milliseconds, want 3", got)
	}

	save(t, path, text+line("us", "delete", "/x", route, 200, 9))
	if err := a.catchUp(); err != nil || len(a.requests) != 8 || !a.requests[7].writes() {
		t.Errorf("what was written since: %+v, %v", a.requests[7:], err)
	}
	save(t, path, "")
	if err := a.catchUp(); err == nil {
		t.Error("a log that became shorter was taken")
	}
}

func save(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
