// Package process runs programs that outlive neither their user nor a crash of it.
package process

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

const stopTimeout = 10 * time.Second

// Process is a program that runs until it is stopped. It dies with us, even if we crash.
type Process struct {
	name string
	cmd  *exec.Cmd
	log  string
	// done is closed once the process is gone.
	done chan struct{}
	// asked is set before the process is asked to end.
	asked atomic.Bool
}

// Start runs a program in the directory, with its output in a log there.
func Start(dir, name, program string, env []string, args ...string) (*Process, error) {
	r := &Process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	file, err := os.OpenFile(r.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the log of %s: %w", name, err)
	}
	r.cmd = exec.Command(program, args...)
	r.cmd.Dir = dir
	r.cmd.Env = append(os.Environ(), env...)
	r.cmd.Stdout, r.cmd.Stderr = file, file
	// A group of its own, so that an interrupt at the terminal leaves the order of stopping to us.
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error, 1)
	go func() {
		// The death signal comes when the thread that started the process ends: this one must not before the process does.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(r.done)
		defer func() { _ = file.Close() }()
		err := r.cmd.Start()
		started <- err
		if err == nil {
			_ = r.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return r, nil
}

// PID is the number of the process.
func (r *Process) PID() int { return r.cmd.Process.Pid }

// Args are the arguments that the program was started with.
func (r *Process) Args() []string { return r.cmd.Args[1:] }

// Log is the path of the log.
func (r *Process) Log() string { return r.log }

// Stop sends the signal, kills what does not end in time, and returns once the process is gone.
func (r *Process) Stop(signal os.Signal) error { return r.stopWithin(stopTimeout, signal) }

func (r *Process) stopWithin(timeout time.Duration, signal os.Signal) error {
	if r.Ended() == nil {
		r.asked.Store(true)
	}
	if err := r.signal(signal); err != nil {
		return fmt.Errorf("stop %s: %w", r.name, err)
	}
	select {
	case <-r.done:
		return nil
	case <-time.After(timeout):
	}
	if err := r.signal(os.Kill); err != nil {
		return fmt.Errorf("kill %s: %w", r.name, err)
	}
	<-r.done
	return nil
}

func (r *Process) signal(signal os.Signal) error {
	if err := r.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Ended says how a process that should be running has ended, with the end of its log; nil means that it runs.
func (r *Process) Ended() error {
	select {
	case <-r.done:
		return fmt.Errorf("%s ended (%s), having logged:\n%s", r.name, r.cmd.ProcessState, r.Tail())
	default:
		return nil
	}
}

// EndedByItself says the same of a process that nobody had asked to end.
func (r *Process) EndedByItself() error {
	if r.asked.Load() {
		return nil
	}
	return r.Ended()
}

// Tail returns the last lines of the log.
func (r *Process) Tail() string {
	const most = 4096
	text, err := os.ReadFile(r.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}
