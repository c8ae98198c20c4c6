"""`./learn cluster …`: the manifests of phase 5 rendered, deployed, and tried on a control plane of our own."""
