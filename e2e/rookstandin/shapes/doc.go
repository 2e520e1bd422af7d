// Package shapes tells what Rook's objects look like, release by release (1.11 to 1.20): each is a template of YAML beside this
// file, and what differs between releases or settings is told where it differs.
//
// That they are right is judged by what real operators were recorded to write: e2e/rookstandin/testdata/recordings.
package shapes
