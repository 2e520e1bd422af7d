update deployments rook-ceph-mon-b b:global replicas=0
create deployments rook-ceph-mon-d-canary
delete deployments rook-ceph-mon-d-canary
create services rook-ceph-mon-d
write configmaps rook-ceph-mon-endpoints a:global b:global c:global d:cluster max=2 out=b
write endpointslices rook-ceph-active-mons-ipv4 a:global b:global c:global d:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global c:global d:cluster
update cephconnections rook-ceph a:global b:global c:global d:cluster
update clientprofiles rook-ceph
create deployments rook-ceph-mon-d d:cluster replicas=1
update configmaps rook-ceph-mon-endpoints a:global b:global c:global d:global max=3 out=b
write configmaps rook-ceph-mon-endpoints a:global b:global c:global d:cluster max=3 out=b
write endpointslices rook-ceph-active-mons-ipv4 a:global b:global c:global d:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
write configmaps rook-ceph-mon-endpoints a:global c:global d:cluster max=3 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global c:global d:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global c:global d:cluster
update cephconnections rook-ceph a:global c:global d:cluster
update clientprofiles rook-ceph
write secrets cluster-peer-token-my-cluster a:global c:global d:cluster
delete services rook-ceph-mon-b
delete persistentvolumeclaims rook-ceph-mon-b 404
delete deployments rook-ceph-mon-b
update secrets rook-ceph-mon
write configmaps rook-ceph-mon-endpoints a:global c:global d:global max=3 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global c:global d:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global c:global d:global
update cephconnections rook-ceph a:global c:global d:global
update clientprofiles rook-ceph
update secrets rook-ceph-mons-keyring
update secrets rook-ceph-admin-keyring
update secrets rook-ceph-admin-keyring
write services rook-ceph-mon-a
write services rook-ceph-mon-c
write services rook-ceph-mon-d
write configmaps rook-ceph-mon-endpoints a:global c:global d:global max=3 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global c:global d:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global c:global d:global
update cephconnections rook-ceph a:global c:global d:global
update clientprofiles rook-ceph
update deployments rook-ceph-mon-c c:global replicas=1
update deployments rook-ceph-mon-d d:global replicas=1
write secrets cluster-peer-token-my-cluster a:global c:global d:global
update secrets rook-ceph-mgr-a-keyring
create deployments rook-ceph-mgr-a 409
create configmaps rook-ceph-osd-node-0-status
update deployments rook-ceph-osd-0
delete configmaps rook-ceph-osd-node-0-status
update secrets rook-ceph-mon
write configmaps rook-ceph-mon-endpoints a:global c:global d:global max=3 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global c:global d:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global c:global d:global
update cephconnections rook-ceph a:global c:global d:global
update clientprofiles rook-ceph
update secrets rook-ceph-mons-keyring
update secrets rook-ceph-admin-keyring
update secrets rook-ceph-admin-keyring
write services rook-ceph-mon-a
write services rook-ceph-mon-c
write services rook-ceph-mon-d
write configmaps rook-ceph-mon-endpoints a:global c:global d:global max=3 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global c:global d:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global c:global d:global
update cephconnections rook-ceph a:global c:global d:global
update clientprofiles rook-ceph
update deployments rook-ceph-mon-c c:global replicas=1
update deployments rook-ceph-mon-d d:global replicas=1
write secrets cluster-peer-token-my-cluster a:global c:global d:global
update secrets rook-ceph-mgr-a-keyring
create deployments rook-ceph-mgr-a 409
create configmaps rook-ceph-osd-node-0-status
update deployments rook-ceph-osd-0
delete configmaps rook-ceph-osd-node-0-status
