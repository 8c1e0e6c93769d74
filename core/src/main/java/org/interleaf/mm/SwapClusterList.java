// SPDX-License-Identifier: GPL-2.0-or-later
package org.interleaf.mm;

import org.interleaf.machine.Machine;
import org.interleaf.machine.Shared;

import java.util.ArrayList;
import java.util.List;

/// A list of clusters, as one version: it never changes, writers put a new one in its place.
final class SwapClusterList extends Shared {
    private final List<SwapCluster> clusters;

    private SwapClusterList(Machine machine, List<SwapCluster> clusters) {
        super(machine);
        this.clusters = clusters;
    }

    /// An empty list.
    static SwapClusterList empty(Machine machine) {
        return new SwapClusterList(machine, List.of());
    }

    List<SwapCluster> clusters() {
        return clusters;
    }

    /// The same with `cluster` as its last one.
    SwapClusterList plus(Machine machine, SwapCluster cluster) {
        List<SwapCluster> more = new ArrayList<>(clusters);
        more.add(cluster);
        return new SwapClusterList(machine, more);
    }

    /// The same without `cluster`.
    SwapClusterList minus(Machine machine, SwapCluster cluster) {
        List<SwapCluster> fewer = new ArrayList<>(clusters);
        fewer.remove(cluster);
        return new SwapClusterList(machine, fewer);
    }

    @Override
    public String toString() {
        return clusters.toString();
    }
}
