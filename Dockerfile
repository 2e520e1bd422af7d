# For those who have a container engine; `make image` builds the same without one.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath \
    -ldflags "-s -w -X main.version=$(cat VERSION)" -o /rook-clusterset .

FROM scratch
COPY LICENSE /LICENSE
COPY --from=build /rook-clusterset /usr/local/bin/rook-clusterset
ENV PATH=/usr/local/bin
# A number, for the kubelet cannot tell of a name whether it is root.
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/rook-clusterset"]
