package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PodLogs is the folder with what the containers of the node's pods print.
func (c *Cluster) PodLogs() string { return filepath.Join(c.dir, "logs", "pods") }

func (c *Cluster) startNode(ctx context.Context, options NodeOptions) error {
	// It reads what pods mount and writes their status, which a kubelet may do
	// by a special authorizer; this one is trusted with everything.
	kubeconfig, err := c.identity("node", "system:node:"+options.Name, "system:nodes", "system:masters")
	if err != nil {
		return err
	}
	if options.Images == "" {
		options.Images = filepath.Join(c.dir, "images.json")
		if err := os.WriteFile(options.Images, []byte("{}"), 0o600); err != nil {
			return err
		}
	}
	args := []string{
		"--kubeconfig=" + kubeconfig, "--node-name=" + options.Name, "--cidr=" + options.CIDR,
		"--images=" + options.Images, "--log-dir=" + c.PodLogs(),
	}
	return c.launch(ctx, spec{
		part: "node", args: append(args, options.Args...),
		ready: func(ctx context.Context) error {
			node, err := c.client.CoreV1().Nodes().Get(ctx, options.Name, metav1.GetOptions{})
			if err != nil {
				return err
			}
			for _, condition := range node.Status.Conditions {
				if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
					return nil
				}
			}
			return fmt.Errorf("the node %s is not Ready", options.Name)
		},
		// Its pods get their grace period first.
		grace: 20 * time.Second,
	})
}
