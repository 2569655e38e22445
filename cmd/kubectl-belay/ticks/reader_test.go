package ticks

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/belay-dev/belay/analysis/evidence"
)

// told reads all of a text and writes down, a line each, what it says: ticks, warnings and the error.
func told(text string, o Options) []string {
	var out []string
	o.Warn = func(w string) { out = append(out, "warning: "+w) }
	r, err := NewReader(strings.NewReader(text), o)
	if err != nil {
		return append(out, err.Error())
	}
	for {
		t, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return out
		case err != nil:
			return append(out, err.Error())
		}
		out = append(out, describe(t))
	}
}

func describe(t Tick) string {
	text := fmt.Sprintf("%d/%d %d/%d", t.Canary.Bad, t.Canary.Requests, t.Stable.Bad, t.Stable.Requests)
	if len(t.CanaryBuckets) > 0 {
		text += fmt.Sprintf(" %v %v", t.CanaryBuckets, t.StableBuckets)
	}
	if t.Time != "" {
		text += " at " + t.Time
	}
	if t.Weighed {
		text += fmt.Sprintf(" %g%%", t.Weight)
	}
	if t.WeightChanged {
		text += " changed"
	}
	return text
}

const wide = "canary_requests,canary_errors,stable_requests,stable_errors\n"

func TestForms(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"wide":                 {wide + "10,1,90,2\n20,2,80,3\n", "1/10 2/90; 2/20 3/80"},
		"columns in any order": {"stable_errors,time,canary_errors,weight,stable_requests,canary_requests\n2,0,1,5,90,10\n3,10,2,25,80,20\n", "1/10 2/90 at 0 5%; 2/20 3/80 at 10 25% changed"},
		"spaces, quotes, CRLF, comments, empty lines, a mark of the encoding": {
			"\ufeff# counted by hand\r\n\"canary_requests\", canary_errors ,stable_requests,stable_errors\r\n\r\n 10,\"1\", 90 ,2\r\n# a break\r\n20,2,80,3", "1/10 2/90; 2/20 3/80",
		},
		"whole numbers in other clothes": {wide + "10.0,1e0,9e1,2.000\n", "1/10 2/90"},
		"JSON lines": {
			`{"canary_requests":10,"canary_errors":1,"stable_requests":90,"stable_errors":2}` + "\n" +
				` { "stable_errors" : "3" , "canary_errors": 2, "canary_requests":2e1,"stable\u005frequests": 80 } ` + "\n", "1/10 2/90; 2/20 3/80",
		},
		"long": {
			"time,arm,requests,errors\n0,canary,10,1\n0,stable,90,2\n10,stable,80,3\n10,canary,20,2\n", "1/10 2/90 at 0; 2/20 3/80 at 10",
		},
		"long, and an arm without a line": {
			"tick,arm,requests,errors,weight\n1,stable,90,2,0\n2,canary,20,2,5\n2,stable,80,3,5\n3,canary,7,0,100\n",
			"0/0 2/90 at 1 0%; 2/20 3/80 at 2 5% changed; 0/7 0/0 at 3 100% changed",
		},
		"long, as JSON": {
			`{"time":"2026-11-01T12:00:00Z","arm":"stable","requests":90,"errors":2}` + "\n" + `{"time":"2026-11-01T12:00:00Z","arm":"canary","requests":10,"errors":1}`,
			"1/10 2/90 at 2026-11-01T12:00:00Z",
		},
		"a histogram": {
			"canary_le_+Inf,canary_le_0.1,canary_le_0.5,stable_le_0.1,stable_le_5e-1,stable_le_inf\n10,4,9,50,80,90\n", "0/0 0/0 [4 5 1] [50 30 10]",
		},
		"a histogram in long form, and counters": {
			"time,arm,requests,errors,le_0.1,le_+Inf\n0,canary,10,1,6,10\n0,stable,90,2,80,90\n1,stable,5,0,5,5\n", "1/10 2/90 [6 4] [80 10] at 0; 0/0 0/5 [0 0] [5 0] at 1",
		},
		"nothing but a header": {wide, ""},
		"a hole in time": {
			"time," + wide + "0,1,0,1,0\n10,1,0,1,0\n20,1,0,1,0\n50,1,0,1,0\n60,1,0,1,0\n90,1,0,1,0",
			"0/1 0/1 at 0; 0/1 0/1 at 10; 0/1 0/1 at 20; warning: line 5 comes 30 after line 4, and those before came in steps of 10: what no line tells of is no tick; write lines with 0 requests where nothing came; 0/1 0/1 at 50; 0/1 0/1 at 60; 0/1 0/1 at 90",
		},
		"ticks of another length than said": {
			"time," + wide + "2026-11-01T12:00:00Z,1,0,1,0\n2026-11-01T13:01:00+01:00,1,0,1,0",
			"0/1 0/1 at 2026-11-01T12:00:00Z; warning: line 3 comes 60s after line 2, and a tick is said to be 10s: say --tick=60s; 0/1 0/1 at 2026-11-01T13:01:00+01:00",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := strings.Join(told(c.text, Options{Seconds: 10}), "; "); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestBadInput(t *testing.T) {
	long := "time,arm,requests,errors,weight\n"
	histogram := "canary_le_0.1,canary_le_+Inf,stable_le_0.1,stable_le_+Inf\n"
	for name, c := range map[string]struct{ text, want string }{
		"nothing":             {"", "there is nothing in it: a header and one line per tick are wanted"},
		"only comments":       {"# a\n\n", "there is nothing in it"},
		"an array":            {"[{}]", "line 1 begins an array: JSON lines are wanted"},
		"another separator":   {"canary_requests;canary_errors\n", `line 1: "canary_requests;canary_errors" is one column: columns are separated by commas`},
		"unknown column":      {"canary_request,canary_errors\n", `line 1: column "canary_request" is unknown: known are: time (or tick), weight; wide:`},
		"unknown, long":       {"time,arm,canary_requests\n", `column "canary_requests" is unknown`},
		"no header":           {"10,1,90,2\n", `line 1: column "10" is unknown`},
		"twice":               {"weight,weight\n", `column "weight" stands there twice`},
		"two times":           {"time,tick\n", "there are both time and tick"},
		"no counts":           {"time,weight\n", "there are no counts of the canary among the columns time, weight"},
		"only the canary":     {"canary_requests,canary_errors\n", "some of the columns canary_requests, canary_errors, stable_requests and stable_errors are missing"},
		"no errors":           {"time,arm,requests\n", "some of the columns requests and errors are missing"},
		"long without time":   {"arm,requests,errors\n", "there is arm and no time"},
		"a bound is none":     {"canary_le_slow\n", `column "canary_le_slow" is unknown: "slow" is no bound of a bucket`},
		"other buckets":       {"canary_le_1,canary_le_+Inf,stable_le_2,stable_le_+Inf\n", "canary has the buckets [1 +Inf] and stable has [2 +Inf]: both arms need the same"},
		"no +Inf":             {"canary_le_1,stable_le_1\n", "there is no bucket le_+Inf"},
		"only +Inf":           {"canary_le_+Inf,stable_le_+Inf\n", "there is no bucket but le_+Inf"},
		"a bound twice":       {"canary_le_1,canary_le_1.0,canary_le_+Inf,stable_le_1,stable_le_1.0,stable_le_+Inf\n", "bucket le_1 stands there twice"},
		"a hole":              {wide + "10,1,90,2\n10,,90,2\n", "line 3, column canary_errors is empty: it must be a whole number from 0 to 1000000000000, and 0 where nothing came"},
		"a hole in JSON":      {`{"canary_requests":null,"canary_errors":1,"stable_requests":90,"stable_errors":2}`, "line 1, column canary_requests is empty"},
		"too few":             {wide + "10,1,90\n", "line 2 has 3 columns, and the header has 4"},
		"too many":            {wide + "10,1,90,2,5\n", "line 2 has 5 columns"},
		"NaN":                 {wide + "10,NaN,90,2\n", `line 2, column canary_errors is "NaN": it must be a whole number`},
		"Inf":                 {wide + "+Inf,1,90,2\n", `line 2, column canary_requests is "+Inf"`},
		"negative":            {wide + "10,1,-90,2\n", `line 2, column stable_requests is "-90"`},
		"not whole":           {wide + "10,1,90,2.5\n", `line 2, column stable_errors is "2.5"`},
		"too large":           {wide + "10,1,1000000000001,2\n", `line 2, column stable_requests is "1000000000001"`},
		"a word":              {wide + "ten,1,90,2\n", `line 2, column canary_requests is "ten"`},
		"a long word":         {wide + strings.Repeat("x", 100) + ",1,90,2\n", `is "` + strings.Repeat("x", 60) + `…"`},
		"more bad than all":   {wide + "10,11,90,2\n", `line 2, column canary_errors is "11": it must not be more than canary_requests, which is 10`},
		"not monotone":        {histogram + "5,4,50,90\n", `line 2, column canary_le_+Inf is "4": it must not be less than canary_le_0.1, which is 5: a bucket also holds`},
		"time":                {"time," + wide + "noon,10,1,90,2\n", `line 2, column time is "noon": it must be a date`},
		"time is not":         {"time," + wide + "NaN,10,1,90,2\n", `line 2, column time is "NaN"`},
		"time stands still":   {"time," + wide + "7,10,1,90,2\n7,10,1,90,2\n", `line 3, column time is "7": it must be later than that of line 2`},
		"time goes back":      {"time," + wide + "7,10,1,90,2\n8,10,1,90,2\n1,10,1,90,2\n", `line 4, column time is "1": it must be later than that of line 3`},
		"time changes":        {"time," + wide + "7,10,1,90,2\n2026-11-01T12:00:00Z,10,1,90,2\n", `line 3, column time is "2026-11-01T12:00:00Z": line 2 has the other kind of time`},
		"weight":              {"weight," + wide + "101,10,1,90,2\n", `line 2, column weight is "101": it must be a percentage of the traffic, from 0 to 100`},
		"weight is not":       {"weight," + wide + "NaN,10,1,90,2\n", `line 2, column weight is "NaN"`},
		"an arm":              {long + "0,blue,10,1,5\n", `line 2, column arm is "blue": it must be canary or stable`},
		"an arm twice":        {long + "0,canary,10,1,5\n0,canary,10,1,5\n", `line 3, column arm is "canary": this arm has a line with this time already`},
		"three lines":         {long + "0,canary,10,1,5\n0,stable,10,1,5\n0,canary,10,1,5\n", `line 4, column time is "0": it must be later than that of line 2`},
		"two weights":         {long + "0,canary,10,1,5\n0,stable,10,1,6\n", `line 3, column weight is "6": the other arm has 5 at this time`},
		"bad second line":     {long + "0,canary,10,1,5\n0,stable,10,-1,5\n", `line 3, column errors is "-1"`},
		"not JSON":            {`{"canary_requests":10`, "line 1: it is not one JSON object"},
		"two objects":         {`{"weight":10}{}`, "line 1: it is not one JSON object"},
		"another value":       {`{"weight":[10]}`, `line 1, column "weight" is neither a number nor a string`},
		"true":                {`{"weight":true}`, `line 1, column "weight" is neither a number nor a string`},
		"a key twice":         {`{"weight":1,"weight":2}`, `line 1 has "weight" twice`},
		"no keys":             {`{}`, "there are no counts of the canary"},
		"a key is missing":    {`{"canary_requests":9,"canary_errors":1,"stable_requests":90,"stable_errors":2}` + "\n" + `{"canary_requests":9}`, `line 2 has no "canary_errors", which the first line has`},
		"another key":         {`{"canary_requests":9,"canary_errors":1,"stable_requests":90,"stable_errors":2}` + "\n" + `{"weight":9}`, `line 2 has "weight", which the first line has not`},
		"the same key again":  {`{"canary_requests":9,"canary_errors":1,"stable_requests":90,"stable_errors":2}` + "\n" + `{"canary_requests":9,"canary_requests":9}`, `line 2 has "canary_requests" twice`},
		"something else":      {`{"canary_requests":9,"canary_errors":1,"stable_requests":90,"stable_errors":2}` + "\n7", `line 2: it is not one JSON object`},
		"a line without end":  {wide + strings.Repeat("1", 2*maxLine), "line 2 is longer than 1048576 bytes"},
		"a header as long":    {strings.Repeat("1", 2*maxLine), "line 1 is longer than"},
		"the canary is alone": {"canary_requests,canary_errors,canary_le_1,canary_le_+Inf\n", "some of the columns"},
	} {
		t.Run(name, func(t *testing.T) {
			lines := told(c.text, Options{})
			if len(lines) == 0 || !strings.Contains(lines[len(lines)-1], c.want) {
				t.Errorf("\n got %q\nwant %s", lines, c.want)
			}
		})
	}
}

func TestWithoutStable(t *testing.T) {
	for text, want := range map[string]string{
		"canary_requests,canary_errors\n10,1\n":                     "1/10 0/0",
		wide + "10,1,90,2\n":                                        "1/10 2/90",
		"canary_requests,canary_errors,stable_requests\n10,1,90\n":  "line 1: some of the columns",
		"canary_requests,canary_errors,canary_le_1,canary_le_inf\n": "canary has the buckets [1 +Inf] and stable has []",
	} {
		if got := strings.Join(told(text, Options{Alone: true}), "; "); !strings.Contains(got, want) {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

func TestInputThatBreaks(t *testing.T) {
	for name, c := range map[string]struct {
		in   io.Reader
		want string
	}{
		"at once": {broken{}, "line 1: the disk is gone"},
		"later":   {io.MultiReader(strings.NewReader(wide+"10,1,90,2\n"), broken{}), "line 3: the disk is gone"},
	} {
		r, err := NewReader(c.in, Options{})
		for err == nil {
			_, err = r.Next()
		}
		if err.Error() != c.want {
			t.Errorf("%s: %q, want %q", name, err, c.want)
		}
	}
}

// What the reader gives is what evidence takes, in either form and format.
func FuzzReader(f *testing.F) {
	for _, seed := range []string{
		wide + "10,1,90,2\n20,2,80,3\n", "time,arm,requests,errors,weight\n0,canary,10,1,5\n0,stable,90,2,5\n1,stable,1,1,100\n",
		`{"canary_requests":10,"canary_errors":1e0,"stable_requests":"90","stable_errors":2,"weight":null}`, `{"\u0022":"\\"}`, `{"weight":1,"weight":2}` + "\n{", "{} {}",
		"canary_le_1,canary_le_+Inf,stable_le_1,stable_le_inf\n1,2,3,4\n", "time," + wide + "2026-11-01T12:00:00Z,1,0,1,0\n2026-11-01T12:00:10Z,1,0,1,0\n", "\ufeff#\n\"a\",",
	} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, text string, alone bool) {
		r, err := NewReader(strings.NewReader(text), Options{Alone: alone, Seconds: 10})
		for err == nil {
			var tick Tick
			if tick, err = r.Next(); err != nil {
				break
			}
			if err := (evidence.Tick{Canary: tick.Canary, Stable: tick.Stable}).Validate(); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			for _, n := range append(tick.CanaryBuckets, tick.StableBuckets...) {
				if n < 0 {
					t.Fatalf("%q: buckets %v and %v", text, tick.CanaryBuckets, tick.StableBuckets)
				}
			}
			if !(tick.Weight >= 0 && tick.Weight <= 100) || tick.Line < 1 || tick.Line > strings.Count(text, "\n")+1 {
				t.Fatalf("%q: %+v", text, tick)
			}
		}
		if !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "line ") && !strings.Contains(err.Error(), "there is nothing in it") {
			t.Fatalf("%q: the error does not say where: %v", text, err)
		}
	})
}

// A record costs no memory.
func TestReadingDoesNotAllocate(t *testing.T) {
	for name, c := range map[string]struct{ header, line string }{
		"CSV":  {"time," + wide, "%d,10,1,90,2\n"},
		"JSON": {"", `{"time":%d,"canary_requests":10,"canary_errors":1,"stable_requests":90,"stable_errors":2}` + "\n"},
		"long": {"time,arm,requests,errors\n", "%d,canary,10,1\n"},
	} {
		const lines = 2000
		var text strings.Builder
		text.WriteString(c.header)
		for i := range lines {
			fmt.Fprintf(&text, c.line, 100_000+i)
		}
		r, err := NewReader(strings.NewReader(text.String()), Options{})
		if err != nil {
			t.Fatal(err)
		}
		perTick := testing.AllocsPerRun(lines/2, func() {
			if _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		})
		if perTick > 2 { // the time as text
			t.Errorf("%s: %v allocations per tick", name, perTick)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	for name, line := range map[string]string{
		"CSV":  "10,1,90,2\n",
		"JSON": `{"canary_requests":10,"canary_errors":1,"stable_requests":90,"stable_errors":2}` + "\n",
	} {
		b.Run(name, func(b *testing.B) {
			text := strings.Repeat(line, b.N+1)
			if name == "CSV" {
				text = wide + text
			}
			r, err := NewReader(strings.NewReader(text), Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ResetTimer()
			for range b.N {
				if _, err := r.Next(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
