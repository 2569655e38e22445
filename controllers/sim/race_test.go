//go:build race

package sim

// raced: everything takes some ten times as long.
const raced = true
