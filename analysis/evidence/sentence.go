package evidence

import (
	"math"
	"strings"
)

// Sentence is a report in one line for people, as status, events, the plugin and the commit of a revert
// tell it of the metric called name:
//
//	errors: canary 361/5,012 (7.2 %), stable 48/15,110 (0.3 %): 6.1 to 7.8 points worse, at any look, 99 %
//
// Counts and interval are those of the present weight, and the interval is rounded outwards, so that what
// is printed is as true as what was computed: see excess for its forms and share for the rounding. Where
// interval and verdict seem to disagree, a clause at the end says why.
func (r Report) Sentence(name string, p Params) string {
	return name + ": " + r.Finding(p)
}

// Finding is the sentence without the metric's name, for where that stands beside it.
func (r Report) Finding(p Params) string {
	switch {
	case r.Cause == AllBad:
		return r.counts(p) + "every request of the canary was bad, for two ticks and 20 requests at least"
	case r.Level > 0 && !r.Frozen:
		return r.againstLevel("stable's counts are missing", "stable's last hour")
	case r.Frozen && (r.Canary.Requests == 0 || r.Verdict == Fail && r.Lower <= 0):
		return r.againstLevel("stable has no traffic", "its last hour")
	case r.Canary.Requests == 0:
		return "nothing to compare yet at this weight" + r.clause()
	}
	return r.counts(p) + r.excess(p) + ", at any look, " + Confidence(p.Alpha) + r.clause()
}

// Value is the report in a few words, for a table: the bad shares of both arms at this weight, that of the canary where
// there is no stable to compare with, and empty where nothing was compared.
func (r Report) Value() string {
	switch {
	case r.Canary.Requests == 0:
		return ""
	case r.Stable.Requests == 0:
		return r.Canary.percent(decimals(r.Canary.BadShare()))
	}
	digits := decimals(max(r.Canary.BadShare(), r.Stable.BadShare()))
	return r.Canary.percent(digits) + " against " + r.Stable.percent(digits)
}

// counts of both arms, with a colon; nothing where nothing was compared.
func (r Report) counts(p Params) string {
	if r.Cause == AllBad && r.Baseline != Measured {
		return r.countsAlone()
	}
	if r.Canary.Requests == 0 {
		return ""
	}
	if p.MarginRelative == 0 {
		return "canary " + r.Canary.text(decimals(r.Canary.BadShare())) + ": "
	}
	digits := decimals(max(r.Canary.BadShare(), r.Stable.BadShare()))
	return "canary " + r.Canary.text(digits) + ", stable " + r.Stable.text(digits) + ": "
}

// countsAlone of a canary that was all bad without a stable to compare with. If it answered before, they would
// contradict what follows.
func (r Report) countsAlone() string {
	if r.Alone.Requests == 0 || r.Alone.Bad < r.Alone.Requests {
		return ""
	}
	return "canary " + r.Alone.text(leastDecimals) + ": "
}

// excess is the interval in words, in points (hundredths of the requests):
//
//	6.1 to 7.8 points worse                    both bounds above 0
//	0.4 to 0.9 points better                   both below
//	at most 0.29 points worse                  0 is inside, and the verdict is Pass
//	0.21 points better to 0.35 points worse    0 is inside, and it is not
//	6.1 to 7.8 % bad, limit 1.0 %              no comparison, but the share itself against a level
func (r Report) excess(p Params) string {
	digits := decimals(max(r.Lower, -r.Lower, r.Upper, -r.Upper))
	switch {
	case p.MarginRelative == 0:
		return down(r.Lower, digits) + " to " + up(r.Upper, digits) + " % bad, limit " + percent(p.MarginAbsolute, decimals(p.MarginAbsolute))
	case r.Lower > 0:
		for digits < mostDecimals && 100*r.Lower*math.Pow10(digits) < 1 {
			digits++ // "0.0 to 2.0 points worse" would say that it may be none
		}
		return down(r.Lower, digits) + " to " + up(r.Upper, digits) + " points worse"
	case r.Upper < 0:
		return down(-r.Upper, digits) + " to " + up(-r.Lower, digits) + " points better"
	case r.Verdict == Pass:
		return "at most " + up(r.Upper, digits) + " points worse"
	}
	return up(-r.Lower, digits) + " points better to " + up(r.Upper, digits) + " points worse"
}

// clause is what a reader has to know besides.
func (r Report) clause() string {
	var clauses []string
	switch {
	case r.Verdict == Fail && r.Lower <= 0:
		clauses = append(clauses, "beyond the margin over the whole attempt")
	case r.Verdict == Pass && r.Lower > 0:
		clauses = append(clauses, "within the margin")
	}
	if r.Frozen {
		clauses = append(clauses, "frozen, as stable has no traffic left")
	}
	if len(clauses) == 0 {
		return ""
	}
	return "; " + strings.Join(clauses, "; ")
}

// againstLevel is said where the stable's counts stand still: the level holds their margin already. A Fail may
// be older than that, and then the canary's counts since do not tell why.
func (r Report) againstLevel(why, source string) string {
	if r.Level == 0 {
		return why + ", and there is no earlier hour of it to judge the canary by"
	}
	digits := decimals(max(r.Level, r.Alone.BadShare()))
	limit, has := percent(r.Level, digits), ""
	if r.Alone.Requests > 0 {
		has = r.Alone.text(digits)
	}
	switch older := r.Verdict == Fail && r.Alone.BadShare() <= r.Level; {
	case r.Verdict == Fail && !older:
		return "canary " + has + ", above " + limit + " bad, which is the limit by " + source + " (" + why + ")"
	case has == "":
		return why + ": the canary may have " + limit + " bad, by " + source + olderFail(older)
	default:
		return why + ": the canary has " + has + " and may have " + limit + " bad, by " + source + olderFail(older)
	}
}

func olderFail(older bool) string {
	if older {
		return "; beyond the margin over the whole attempt"
	}
	return ""
}
