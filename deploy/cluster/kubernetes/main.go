// Kubernetes and etcd as one program: its first argument is the component, the rest are the component's own arguments.
// The components are those of the release in go.mod, unchanged; deploy/cluster/components.py says how they are started.
package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/kubernetes"

	"github.com/coredns/coredns/coremain"
	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	proxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

func ofCobra(command func() *cobra.Command) func() {
	return func() { os.Exit(cli.Run(command())) }
}

var components = map[string]func(){
	"coredns":                 coremain.Run,
	"etcd":                    func() { etcdmain.Main(os.Args) },
	"kube-apiserver":          ofCobra(apiserver.NewAPIServerCommand),
	"kube-controller-manager": ofCobra(controllers.NewControllerManagerCommand),
	"kube-proxy":              ofCobra(proxy.NewProxyCommand),
	"kube-scheduler":          ofCobra(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
	"kubelet":                 ofCobra(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
}

func main() {
	if len(os.Args) > 1 && components[os.Args[1]] != nil {
		os.Args = os.Args[1:]
		components[os.Args[0]]()
		return
	}
	names := []string{}
	for name := range components {
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintf(os.Stderr, "the first argument must be one of %s\n", strings.Join(names, ", "))
	os.Exit(2)
}
