// Package pages reads the documentation as its readers do: headings to link to, links, and commands to copy.
package pages

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Page is a Markdown file.
type Page struct {
	// Path is relative to the root of the module.
	Path string
	// Anchors are what a link can end in, in their order.
	Anchors []string
	Links   []Link
	Blocks  []Block
	// Shown are the blocks of no language: what a command prints.
	Shown []string
	// Spans are what stands between backticks in the text.
	Spans []string
}

// Link is a link to a file of the module, an anchor, or both.
type Link struct{ Path, Anchor string }

// Block is a fenced block of shell commands. The words after ```sh say what becomes of it, where a reader does not see them:
// «run: NAME» that the test which asks for that name runs it, «not run: WHY» that none does.
type Block struct {
	Page   string
	Line   int
	Script string
	Run    string
	NotRun string
}

// String says where the block stands.
func (b Block) String() string { return fmt.Sprintf("%s:%d", b.Page, b.Line) }

// Read returns all pages of the module whose root is given.
func Read(root string) ([]Page, error) {
	var all []Page
	module := os.DirFS(root)
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/decisions/*.md"} {
		paths, err := fs.Glob(module, pattern)
		if err != nil {
			return nil, fmt.Errorf("find the pages: %w", err)
		}
		for _, path := range paths {
			text, err := fs.ReadFile(module, path)
			if err != nil {
				return nil, fmt.Errorf("read a page: %w", err)
			}
			all = append(all, parse(path, string(text)))
		}
	}
	return all, nil
}

// Shown returns what the page shows as the output of commands.
func Shown(root, path string) ([]string, error) {
	all, err := Read(root)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(p Page) bool { return p.Path == path })
	if i < 0 || len(all[i].Shown) == 0 {
		return nil, fmt.Errorf("%s shows no output", path)
	}
	return all[i].Shown, nil
}

// ToRun returns the blocks of all pages that say they are run under the name, in the order in which they stand there.
func ToRun(root, name string) ([]Block, error) {
	all, err := Read(root)
	if err != nil {
		return nil, err
	}
	var blocks []Block
	for _, page := range all {
		for _, block := range page.Blocks {
			if block.Run == name {
				blocks = append(blocks, block)
			}
		}
	}
	if len(blocks) == 0 {
		return nil, fmt.Errorf("no page has a block that says «run: %s»", name)
	}
	return blocks, nil
}

var (
	heading    = regexp.MustCompile(`^#{1,6} (.+)$`)
	fence      = regexp.MustCompile("^( *)```(.*)$")
	span       = regexp.MustCompile("`([^`]+)`")
	linkTo     = regexp.MustCompile(`\]\(([^)#:\s]*)(?:#([^)\s]*))?\)`)
	namedPlace = regexp.MustCompile(`<a id="([^"]+)"></a>`)
)

func parse(path, text string) Page {
	page := Page{Path: path}
	var block *Block
	var indent, language string
	for i, line := range strings.Split(text, "\n") {
		match := fence.FindStringSubmatch(line)
		switch {
		case match == nil && block == nil:
			page.readText(line)
		case match == nil:
			block.Script += strings.TrimPrefix(line, indent) + "\n"
		case block == nil:
			var mark string
			indent = match[1]
			language, mark, _ = strings.Cut(match[2], " ")
			block = newBlock(path, i+1, mark)
		default:
			switch language {
			case "sh":
				page.Blocks = append(page.Blocks, *block)
			case "":
				page.Shown = append(page.Shown, block.Script)
			}
			block = nil
		}
	}
	return page
}

func newBlock(path string, line int, mark string) *Block {
	b := &Block{Page: path, Line: line}
	switch kind, text, _ := strings.Cut(mark, ": "); kind {
	case "run":
		b.Run = text
	case "not run":
		b.NotRun = text
	}
	return b
}

func (p *Page) readText(line string) {
	if match := heading.FindStringSubmatch(line); match != nil {
		p.Anchors = append(p.Anchors, p.anchor(match[1]))
	}
	for _, match := range namedPlace.FindAllStringSubmatch(line, -1) {
		p.Anchors = append(p.Anchors, match[1])
	}
	for _, match := range span.FindAllStringSubmatch(line, -1) {
		p.Spans = append(p.Spans, match[1])
	}
	for _, match := range linkTo.FindAllStringSubmatch(span.ReplaceAllString(line, ""), -1) {
		p.Links = append(p.Links, Link{Path: match[1], Anchor: match[2]})
	}
}

// anchor returns what GitHub makes of a heading. One that repeats another gets a number.
func (p *Page) anchor(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(text)) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r > 127 && !strings.ContainsRune("«»–—…“”’·", r):
			b.WriteRune(r)
		}
	}
	anchor := b.String()
	for n := 1; slices.Contains(p.Anchors, anchor); n++ {
		anchor = fmt.Sprintf("%s-%d", b.String(), n)
	}
	return anchor
}
