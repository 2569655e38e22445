package view

import "strings"

// node is a line of the tree with what hangs below it. The cells of siblings stand in columns.
type node struct {
	cells    []cell
	note     []cell // sentences below the line, wrapped
	children []node
}

const gap = 2

// drawTree writes a node and everything below it.
func drawTree(root node, o Options) string {
	var b strings.Builder
	joined(nil, root.cells, nil).write(&b, o)
	stem := ""
	if len(root.children) > 0 {
		stem = "│  "
	}
	drawNote(&b, root.note, stem, o)
	if len(root.note) > 0 && len(root.children) > 0 {
		line{{"│", faint}}.write(&b, o)
	}
	drawNodes(&b, root.children, "", o)
	return b.String()
}

func drawNodes(b *strings.Builder, nodes []node, prefix string, o Options) {
	widths := columnWidths(nodes)
	for i, n := range nodes {
		branch, stem := "├─ ", "│  "
		if i == len(nodes)-1 {
			branch, stem = "└─ ", "   "
		}
		joined(line{{prefix + branch, faint}}, n.cells, widths).write(b, o)
		below := prefix + stem
		bar := below + "   "
		if len(n.children) > 0 {
			bar = below + "│  "
		}
		drawNote(b, n.note, bar, o)
		drawNodes(b, n.children, below, o)
	}
}

func drawNote(b *strings.Builder, note []cell, prefix string, o Options) {
	limit := 0
	if o.Width > 0 {
		limit = max(o.Width-columns(prefix), 20)
	}
	for _, sentence := range note {
		for _, text := range wrap(sentence.text, limit) {
			line{{prefix, faint}, {text, sentence.style}}.write(b, o)
		}
	}
}

// joined puts cells behind a prefix, padded to the columns' widths.
func joined(prefix line, cells []cell, widths []int) line {
	out := prefix
	end := 0
	for _, c := range prefix {
		end += columns(c.text)
	}
	for i, c := range cells {
		out = append(out.pad(end), c)
		if i < len(widths) {
			end += widths[i]
		} else {
			end += columns(c.text)
		}
		if i < len(cells)-1 {
			end += gap
		}
	}
	return out
}

// columnWidths makes room for the widest cell of each column. The last cell of a row is free to run on.
func columnWidths(nodes []node) []int {
	var widths []int
	for _, n := range nodes {
		for i, c := range n.cells {
			if i == len(n.cells)-1 {
				break
			}
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], columns(c.text))
		}
	}
	return widths
}
