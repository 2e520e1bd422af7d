package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"

	"github.com/aymanbagabas/go-udiff"
	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/spf13/cobra"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

func rewriteCommand() *cobra.Command {
	var globalIP, file, output string
	var diff bool
	cmd := &cobra.Command{
		Use:   "rewrite --global-ip IP",
		Short: "Show what the webhook would make of a Deployment",
		Long: "rewrite reads one Deployment, YAML or JSON, and prints it as the webhook would store it for the given global IP.\n" +
			"What was done, or why nothing was, goes to standard error.",
		Example: "  kubectl -n rook-ceph get deployment rook-ceph-osd-0 -o yaml | " + called + " rewrite --global-ip 242.0.0.10 --diff",
		Args:    flagsAlone,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ip, err := parseGlobalIP(globalIP)
			if err != nil {
				return err
			}
			if output != "yaml" && output != "json" {
				return fmt.Errorf("--output is %q: give yaml or json", output)
			}
			raw, err := readInput(cmd.InOrStdin(), file, "the Deployment")
			if err != nil {
				return err
			}
			before, after, daemon, code, err := rewriteDocument(raw, ip)
			if err != nil {
				return err
			}
			text, err := renderRewrite(before, after, output, diff)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(cmd.OutOrStdout(), text); err != nil {
				return fmt.Errorf("write the Deployment: %w", err)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s %s\n", code, daemon, code.Sentence())
			return nil
		},
	}
	cmd.Flags().StringVar(&globalIP, "global-ip", "", "the global IP that the daemon should advertise")
	cmd.Flags().StringVarP(&file, "filename", "f", "-", "file with the Deployment; - is standard input")
	cmd.Flags().StringVarP(&output, "output", "o", "yaml", "format of the result: yaml or json")
	cmd.Flags().BoolVar(&diff, "diff", false, "print only what changes, as a unified diff")
	if err := cmd.MarkFlagRequired("global-ip"); err != nil {
		panic(err) // the flag is defined four lines above
	}
	return cmd
}

func parseGlobalIP(s string) (netip.Addr, error) {
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("--global-ip %q is not an IP address: give one such as 242.0.0.10", s)
	}
	if ip = ip.Unmap(); ip.Zone() != "" || !ip.IsGlobalUnicast() {
		return netip.Addr{}, fmt.Errorf("--global-ip %s cannot be dialled by a peer: give a unicast address such as 242.0.0.10", s)
	}
	return ip, nil
}

// readInput reads a file, or the standard input where its name is -; an error says what was to be read.
func readInput(in io.Reader, file, what string) ([]byte, error) {
	if file == "-" {
		raw, err := io.ReadAll(in)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return raw, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, err)
	}
	return raw, nil
}

// rewriteDocument returns the document as JSON before and after the rewrite, and what it is. It is the patch of the webhook
// that is applied, so that fields which this program's Kubernetes types do not know are kept here as there.
func rewriteDocument(raw []byte, ip netip.Addr) (before, after []byte, name string, code reason.Code, err error) {
	document, err := onlyDocument(raw)
	if err != nil {
		return nil, nil, "", "", err
	}
	before, err = yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, nil, "", "", fmt.Errorf("the input is neither YAML nor JSON: %w", err)
	}
	var kind metav1.TypeMeta
	if err := json.Unmarshal(before, &kind); err != nil || kind.Kind == "" {
		return nil, nil, "", "", errors.New("the input is not a Kubernetes object: it has no kind")
	}
	if kind.Kind != "Deployment" || kind.APIVersion != "apps/v1" {
		return nil, nil, "", "", fmt.Errorf("the input is a %s of %s: give one Deployment of apps/v1", kind.Kind, kind.APIVersion)
	}
	var deployment appsv1.Deployment
	if err := json.Unmarshal(before, &deployment); err != nil {
		return nil, nil, "", "", fmt.Errorf("the input is not a Deployment: %w", err)
	}
	name = "Deployment " + deployment.Namespace + "/" + deployment.Name
	changes, code := rook.ChangesFor(&deployment, ip)
	operations, err := json.Marshal(changes.Operations())
	if err != nil {
		return nil, nil, "", "", fmt.Errorf("encode the changes of %s: %w", name, err)
	}
	patch, err := jsonpatch.DecodePatch(operations)
	if err != nil {
		return nil, nil, "", "", fmt.Errorf("read the changes of %s: %w", name, err)
	}
	after, err = patch.Apply(before)
	if err != nil {
		return nil, nil, "", "", fmt.Errorf("apply the changes of %s: %w", name, err)
	}
	return before, after, name, code, nil
}

// onlyDocument returns the one YAML document of the input: to rewrite the first of several would lose the others.
func onlyDocument(raw []byte) ([]byte, error) {
	var only []byte
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(raw)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the input: %w", err)
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		if only != nil {
			return nil, errors.New("the input holds more than one object: give one Deployment at a time")
		}
		only = document
	}
	if only == nil {
		return nil, errors.New("the input is empty: give one Deployment")
	}
	return only, nil
}

func renderRewrite(before, after []byte, output string, diff bool) (string, error) {
	render := func(document []byte) (string, error) {
		if output == "json" {
			var text bytes.Buffer
			err := json.Indent(&text, document, "", "  ")
			return text.String() + "\n", err
		}
		text, err := yaml.JSONToYAML(document)
		return string(text), err
	}
	result, err := render(after)
	if err != nil || !diff {
		return result, err
	}
	original, err := render(before)
	if err != nil {
		return "", err
	}
	return udiff.Unified("stored by Rook", "stored by rook-clusterset", original, result), nil
}
