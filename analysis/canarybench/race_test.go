//go:build race

package canarybench

// raced: everything takes some ten times as long, and what is drawn is the same.
const raced = true
