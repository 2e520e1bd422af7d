update secrets rook-ceph-mon
write configmaps rook-ceph-mon-endpoints a:global b:global c:global max=2 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global b:global c:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global b:global c:global
update cephconnections rook-ceph a:global b:global c:global
update clientprofiles rook-ceph
update secrets rook-ceph-mons-keyring
update secrets rook-ceph-admin-keyring
update secrets rook-ceph-admin-keyring
write services rook-ceph-mon-a
write services rook-ceph-mon-b
write services rook-ceph-mon-c
write configmaps rook-ceph-mon-endpoints a:global b:global c:global max=2 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global b:global c:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global b:global c:global
update cephconnections rook-ceph a:global b:global c:global
update clientprofiles rook-ceph
update deployments rook-ceph-mon-b b:global replicas=1
update deployments rook-ceph-mon-c c:global replicas=1
write secrets cluster-peer-token-my-cluster a:global b:global c:global
update secrets rook-ceph-mgr-a-keyring
create deployments rook-ceph-mgr-a 409
create configmaps rook-ceph-osd-node-0-status
update deployments rook-ceph-osd-0
delete configmaps rook-ceph-osd-node-0-status
update secrets rook-ceph-mon
write configmaps rook-ceph-mon-endpoints a:global b:global c:global max=2 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global b:global c:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global b:global c:global
update cephconnections rook-ceph a:global b:global c:global
update clientprofiles rook-ceph
update secrets rook-ceph-mons-keyring
update secrets rook-ceph-admin-keyring
update secrets rook-ceph-admin-keyring
write services rook-ceph-mon-a
write services rook-ceph-mon-b
write services rook-ceph-mon-c
write configmaps rook-ceph-mon-endpoints a:global b:global c:global max=2 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global b:global c:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global b:global c:global
update cephconnections rook-ceph a:global b:global c:global
update clientprofiles rook-ceph
update deployments rook-ceph-mon-b b:global replicas=1
update deployments rook-ceph-mon-c c:global replicas=1
write secrets cluster-peer-token-my-cluster a:global b:global c:global
update secrets rook-ceph-mgr-a-keyring
create deployments rook-ceph-mgr-a 409
create configmaps rook-ceph-osd-node-0-status
update deployments rook-ceph-osd-0
delete configmaps rook-ceph-osd-node-0-status
