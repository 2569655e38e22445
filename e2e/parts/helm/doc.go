// Package helm pins the Helm that the local cluster installs Belay's chart with, and tests the chart with the same engine.
package helm
