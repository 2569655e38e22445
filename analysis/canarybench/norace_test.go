//go:build !race

package canarybench

const raced = false
