package realceph

import (
	"bytes"
	"context"
	"encoding/binary"
	"strconv"
)

// CreateImage creates an image that can be mirrored through its journal.
func CreateImage(ctx context.Context, c Client, pool, image string, mebibytes int) error {
	return run(ctx, c, "rbd", "create", pool+"/"+image, "--size", strconv.Itoa(mebibytes)+"M",
		"--image-feature", "exclusive-lock", "--image-feature", "journaling")
}

// WriteImage writes data into an image, as a client would that has the image for a disk.
func WriteImage(ctx context.Context, c Client, pool, image string, offset uint64, data []byte) error {
	_, err := c.Run(ctx, bytes.NewReader(imageDiff(offset, data)), "rbd", "import-diff", "--no-progress", "-", pool+"/"+image)
	return err
}

// imageDiff returns a difference of an image in the format that rbd export-diff has: one write and the end.
func imageDiff(offset uint64, data []byte) []byte {
	diff := []byte("rbd diff v1\nw")
	diff = binary.LittleEndian.AppendUint64(diff, offset)
	diff = binary.LittleEndian.AppendUint64(diff, uint64(len(data)))
	diff = append(diff, data...)
	return append(diff, 'e')
}

// ImageSum reads an image and returns the SHA-256 sum of what it read.
func ImageSum(ctx context.Context, c Client, pool, image string) (string, error) {
	return sum(ctx, c, "rbd", "export", "--no-progress", pool+"/"+image, "-")
}
