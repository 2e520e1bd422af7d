create secrets rook-ceph-mon
update secrets rook-ceph-mon
create configmaps rook-ceph-mon-endpoints max=-1 out=
create secrets rook-ceph-config
update secrets rook-ceph-config
create secrets rook-ceph-mons-keyring
create secrets rook-ceph-admin-keyring
update secrets rook-ceph-admin-keyring
create deployments rook-ceph-mon-a-canary
create deployments rook-ceph-mon-b-canary
create deployments rook-ceph-mon-c-canary
delete deployments rook-ceph-mon-a-canary
delete deployments rook-ceph-mon-b-canary
delete deployments rook-ceph-mon-c-canary
create services rook-ceph-mon-a
create configmaps rook-ceph-mon-endpoints 403 a:cluster max=-1 out=
update secrets rook-ceph-mon
write configmaps rook-ceph-mon-endpoints a:global max=-1 out=
create endpointslices rook-ceph-active-mons-ipv4 a:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global
create cephconnections rook-ceph a:global
create clientprofiles rook-ceph
update secrets rook-ceph-mons-keyring
update secrets rook-ceph-admin-keyring
update secrets rook-ceph-admin-keyring
write services rook-ceph-mon-a
create services rook-ceph-mon-b
write configmaps rook-ceph-mon-endpoints a:global b:cluster max=-1 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global b:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global b:cluster
update cephconnections rook-ceph a:global b:cluster
update clientprofiles rook-ceph
create deployments rook-ceph-mon-a a:global replicas=1
update configmaps rook-ceph-mon-endpoints a:global b:global max=0 out=
write configmaps rook-ceph-mon-endpoints a:global b:cluster max=0 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global b:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
create deployments rook-ceph-mon-b b:cluster replicas=1
update configmaps rook-ceph-mon-endpoints a:global b:global max=1 out=
write configmaps rook-ceph-mon-endpoints a:global b:cluster max=1 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global b:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
write services rook-ceph-mon-a
write services rook-ceph-mon-b
create services rook-ceph-mon-c
write configmaps rook-ceph-mon-endpoints a:global b:cluster c:cluster max=1 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global b:cluster c:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:global b:cluster c:cluster
update cephconnections rook-ceph a:global b:cluster c:cluster
update clientprofiles rook-ceph
update deployments rook-ceph-mon-b b:cluster replicas=1
create deployments rook-ceph-mon-c c:cluster replicas=1
update configmaps rook-ceph-mon-endpoints a:global b:global c:global max=2 out=
write configmaps rook-ceph-mon-endpoints a:global b:cluster c:cluster max=2 out=
write endpointslices rook-ceph-active-mons-ipv4 a:global b:cluster c:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
create secrets cluster-peer-token-my-cluster a:global b:cluster c:cluster
create secrets rook-ceph-mgr-a-keyring
create deployments rook-ceph-mgr-a
create configmaps rook-ceph-osd-node-0-status
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
create deployments rook-ceph-osd-0
delete configmaps rook-ceph-osd-node-0-status
