// Package realceph puts real Ceph in the place of the model that the Rook stand-in has: the operator's commands become
// runs of the program ceph, and what a person does with a cluster becomes a function.
//
// Where a program runs is the business of the caller: a Runner makes commands that are not in any pod, for the operator;
// a Client runs commands in a pod.
package realceph
