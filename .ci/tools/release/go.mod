module github.com/rook-clusterset/rook-clusterset/.ci/tools/release

go 1.26.0

require (
	github.com/spdx/tools-golang v0.5.7
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/anchore/go-struct-converter v0.1.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
