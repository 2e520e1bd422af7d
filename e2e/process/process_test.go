package process

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// parentVariable makes the test's program the parent of a process, in the directory that it names.
const parentVariable = "PROCESS_TEST_PARENT"

func TestMain(m *testing.M) {
	if dir := os.Getenv(parentVariable); dir != "" {
		r, err := Start(dir, "sleep", "sleep", nil, "1000")
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(r.PID())
		<-r.done
	}
	os.Exit(m.Run())
}

func TestAProcessDiesWithACrashedTest(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), parentVariable+"="+t.TempDir())
	out, err := parent.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, parent.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	child, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err, line)
	require.NoError(t, syscall.Kill(child, 0))

	require.NoError(t, parent.Process.Kill())
	_ = parent.Wait()
	require.Eventually(t, func() bool { return !runs(child) }, 5*time.Second, 10*time.Millisecond)
}

func TestAProcessThatIgnoresTheSignalIsKilled(t *testing.T) {
	r, err := Start(t.TempDir(), "deaf", "sh", nil, "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done")
	require.NoError(t, err)
	require.NoError(t, r.Ended())
	require.Eventually(t, func() bool { return strings.Contains(r.Tail(), "ready") }, 5*time.Second, 10*time.Millisecond)
	require.NoError(t, r.stopWithin(100*time.Millisecond, syscall.SIGTERM))
	require.False(t, runs(r.PID()))
	require.ErrorContains(t, r.Ended(), "killed")
	require.NoError(t, r.EndedByItself(), "it was asked to end")
	require.NoError(t, r.Stop(syscall.SIGTERM), "what is gone can be stopped again")
}

func TestAProcessThatEndsByItselfTellsItsLog(t *testing.T) {
	r, err := Start(t.TempDir(), "short", "sh", nil, "-c", "echo no flag of that name; exit 3")
	require.NoError(t, err)
	<-r.done
	require.ErrorContains(t, r.Ended(), "short ended (exit status 3), having logged:\nno flag of that name")
	require.NoError(t, r.Stop(syscall.SIGTERM))
	require.ErrorContains(t, r.EndedByItself(), "short ended (exit status 3)", "whoever stops it comes too late")
}

// runs says whether the process is there and not merely waiting to be reaped.
func runs(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return err == nil && !strings.Contains(string(status), "\nState:\tZ")
}
