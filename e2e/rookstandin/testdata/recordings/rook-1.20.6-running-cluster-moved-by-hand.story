update secrets rook-ceph-mon
write configmaps rook-ceph-mon-endpoints a:cluster b:cluster c:cluster max=2 out=
write endpointslices rook-ceph-active-mons-ipv4 a:cluster b:cluster c:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:cluster b:cluster c:cluster
update cephconnections rook-ceph a:cluster b:cluster c:cluster
update clientprofiles rook-ceph
update secrets rook-ceph-mons-keyring
update secrets rook-ceph-admin-keyring
update secrets rook-ceph-admin-keyring
write services rook-ceph-mon-a
write services rook-ceph-mon-b
write services rook-ceph-mon-c
write configmaps rook-ceph-mon-endpoints a:cluster b:cluster c:cluster max=2 out=
write endpointslices rook-ceph-active-mons-ipv4 a:cluster b:cluster c:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:cluster b:cluster c:cluster
update cephconnections rook-ceph a:cluster b:cluster c:cluster
update clientprofiles rook-ceph
write secrets cluster-peer-token-my-cluster a:cluster b:cluster c:cluster
update secrets rook-ceph-mgr-a-keyring
create deployments rook-ceph-mgr-a 409
create configmaps rook-ceph-osd-node-0-status
delete configmaps rook-ceph-osd-node-0-status
update secrets rook-ceph-mon
write configmaps rook-ceph-mon-endpoints a:cluster b:cluster c:cluster max=2 out=
write endpointslices rook-ceph-active-mons-ipv4 a:cluster b:cluster c:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:cluster b:cluster c:cluster
update cephconnections rook-ceph a:cluster b:cluster c:cluster
update clientprofiles rook-ceph
update secrets rook-ceph-mons-keyring
update secrets rook-ceph-admin-keyring
update secrets rook-ceph-admin-keyring
write services rook-ceph-mon-a
write services rook-ceph-mon-b
write services rook-ceph-mon-c
write configmaps rook-ceph-mon-endpoints a:cluster b:cluster c:cluster max=2 out=
write endpointslices rook-ceph-active-mons-ipv4 a:cluster b:cluster c:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config a:cluster b:cluster c:cluster
update cephconnections rook-ceph a:cluster b:cluster c:cluster
update clientprofiles rook-ceph
write secrets cluster-peer-token-my-cluster a:cluster b:cluster c:cluster
update secrets rook-ceph-mgr-a-keyring
create deployments rook-ceph-mgr-a 409
create configmaps rook-ceph-osd-node-0-status
update deployments rook-ceph-osd-0
delete configmaps rook-ceph-osd-node-0-status
update configmaps rook-ceph-mon-endpoints a:cluster b:cluster c:cluster max=2 out=a
update deployments rook-ceph-mon-a a:cluster replicas=0
create deployments rook-ceph-mon-d-canary
delete deployments rook-ceph-mon-d-canary
create services rook-ceph-mon-d
write configmaps rook-ceph-mon-endpoints a:cluster b:cluster c:cluster d:cluster max=2 out=a
write endpointslices rook-ceph-active-mons-ipv4 a:cluster b:cluster c:cluster d:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config b:cluster c:cluster d:cluster
update cephconnections rook-ceph a:cluster b:cluster c:cluster d:cluster
update clientprofiles rook-ceph
create deployments rook-ceph-mon-d d:cluster replicas=1
update configmaps rook-ceph-mon-endpoints a:cluster b:cluster c:cluster d:global max=3 out=a
write configmaps rook-ceph-mon-endpoints a:cluster b:cluster c:cluster d:cluster max=3 out=a
write endpointslices rook-ceph-active-mons-ipv4 a:cluster b:cluster c:cluster d:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
write configmaps rook-ceph-mon-endpoints b:cluster c:cluster d:cluster max=3 out=
write endpointslices rook-ceph-active-mons-ipv4 b:cluster c:cluster d:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config b:cluster c:cluster d:cluster
update cephconnections rook-ceph b:cluster c:cluster d:cluster
update clientprofiles rook-ceph
write secrets cluster-peer-token-my-cluster b:cluster c:cluster d:cluster
delete services rook-ceph-mon-a
delete persistentvolumeclaims rook-ceph-mon-a 404
delete deployments rook-ceph-mon-a
update secrets rook-ceph-mon
write configmaps rook-ceph-mon-endpoints b:cluster c:cluster d:global max=3 out=
write endpointslices rook-ceph-active-mons-ipv4 b:cluster c:cluster d:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config b:cluster c:cluster d:global
update cephconnections rook-ceph b:cluster c:cluster d:global
update clientprofiles rook-ceph
update secrets rook-ceph-mons-keyring
update secrets rook-ceph-admin-keyring
update secrets rook-ceph-admin-keyring
write services rook-ceph-mon-b
write services rook-ceph-mon-c
write services rook-ceph-mon-d
write configmaps rook-ceph-mon-endpoints b:cluster c:cluster d:global max=3 out=
write endpointslices rook-ceph-active-mons-ipv4 b:cluster c:cluster d:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config b:cluster c:cluster d:global
update cephconnections rook-ceph b:cluster c:cluster d:global
update clientprofiles rook-ceph
update deployments rook-ceph-mon-d d:global replicas=1
write secrets cluster-peer-token-my-cluster b:cluster c:cluster d:global
update secrets rook-ceph-mgr-a-keyring
create deployments rook-ceph-mgr-a 409
create configmaps rook-ceph-osd-node-0-status
update deployments rook-ceph-osd-0
delete configmaps rook-ceph-osd-node-0-status
update secrets rook-ceph-mon
write configmaps rook-ceph-mon-endpoints b:cluster c:cluster d:global max=3 out=
write endpointslices rook-ceph-active-mons-ipv4 b:cluster c:cluster d:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config b:cluster c:cluster d:global
update cephconnections rook-ceph b:cluster c:cluster d:global
update clientprofiles rook-ceph
update secrets rook-ceph-mons-keyring
update secrets rook-ceph-admin-keyring
update secrets rook-ceph-admin-keyring
write services rook-ceph-mon-b
write services rook-ceph-mon-c
write services rook-ceph-mon-d
write configmaps rook-ceph-mon-endpoints b:cluster c:cluster d:global max=3 out=
write endpointslices rook-ceph-active-mons-ipv4 b:cluster c:cluster d:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config b:cluster c:cluster d:global
update cephconnections rook-ceph b:cluster c:cluster d:global
update clientprofiles rook-ceph
update deployments rook-ceph-mon-d d:global replicas=1
write secrets cluster-peer-token-my-cluster b:cluster c:cluster d:global
update secrets rook-ceph-mgr-a-keyring
create deployments rook-ceph-mgr-a 409
create configmaps rook-ceph-osd-node-0-status
update deployments rook-ceph-osd-0
delete configmaps rook-ceph-osd-node-0-status
update configmaps rook-ceph-mon-endpoints b:cluster c:cluster d:global max=3 out=b
update deployments rook-ceph-mon-b b:cluster replicas=0
create deployments rook-ceph-mon-e-canary
delete deployments rook-ceph-mon-e-canary
create services rook-ceph-mon-e
write configmaps rook-ceph-mon-endpoints b:cluster c:cluster d:global e:cluster max=3 out=b
write endpointslices rook-ceph-active-mons-ipv4 b:cluster c:cluster d:global e:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config c:cluster d:global e:cluster
update cephconnections rook-ceph b:cluster c:cluster d:global e:cluster
update clientprofiles rook-ceph
create deployments rook-ceph-mon-e e:cluster replicas=1
update configmaps rook-ceph-mon-endpoints b:cluster c:cluster d:global e:global max=4 out=b
write configmaps rook-ceph-mon-endpoints b:cluster c:cluster d:global e:cluster max=4 out=b
write endpointslices rook-ceph-active-mons-ipv4 b:cluster c:cluster d:global e:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
write configmaps rook-ceph-mon-endpoints c:cluster d:global e:cluster max=4 out=
write endpointslices rook-ceph-active-mons-ipv4 c:cluster d:global e:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config c:cluster d:global e:cluster
update cephconnections rook-ceph c:cluster d:global e:cluster
update clientprofiles rook-ceph
write secrets cluster-peer-token-my-cluster c:cluster d:global e:cluster
delete services rook-ceph-mon-b
delete persistentvolumeclaims rook-ceph-mon-b 404
delete deployments rook-ceph-mon-b
update secrets rook-ceph-mon
write configmaps rook-ceph-mon-endpoints c:cluster d:global e:global max=4 out=
write endpointslices rook-ceph-active-mons-ipv4 c:cluster d:global e:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config c:cluster d:global e:global
update cephconnections rook-ceph c:cluster d:global e:global
update clientprofiles rook-ceph
update secrets rook-ceph-mons-keyring
update secrets rook-ceph-admin-keyring
update secrets rook-ceph-admin-keyring
write services rook-ceph-mon-c
write services rook-ceph-mon-d
write services rook-ceph-mon-e
write configmaps rook-ceph-mon-endpoints c:cluster d:global e:global max=4 out=
write endpointslices rook-ceph-active-mons-ipv4 c:cluster d:global e:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config c:cluster d:global e:global
update cephconnections rook-ceph c:cluster d:global e:global
update clientprofiles rook-ceph
update deployments rook-ceph-mon-d d:global replicas=1
update deployments rook-ceph-mon-e e:global replicas=1
write secrets cluster-peer-token-my-cluster c:cluster d:global e:global
update secrets rook-ceph-mgr-a-keyring
create deployments rook-ceph-mgr-a 409
create configmaps rook-ceph-osd-node-0-status
update deployments rook-ceph-osd-0
delete configmaps rook-ceph-osd-node-0-status
update secrets rook-ceph-mon
write configmaps rook-ceph-mon-endpoints c:cluster d:global e:global max=4 out=
write endpointslices rook-ceph-active-mons-ipv4 c:cluster d:global e:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config c:cluster d:global e:global
update cephconnections rook-ceph c:cluster d:global e:global
update clientprofiles rook-ceph
update secrets rook-ceph-mons-keyring
update secrets rook-ceph-admin-keyring
update secrets rook-ceph-admin-keyring
write services rook-ceph-mon-c
write services rook-ceph-mon-d
write services rook-ceph-mon-e
write configmaps rook-ceph-mon-endpoints c:cluster d:global e:global max=4 out=
write endpointslices rook-ceph-active-mons-ipv4 c:cluster d:global e:global
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config c:cluster d:global e:global
update cephconnections rook-ceph c:cluster d:global e:global
update clientprofiles rook-ceph
update deployments rook-ceph-mon-d d:global replicas=1
update deployments rook-ceph-mon-e e:global replicas=1
write secrets cluster-peer-token-my-cluster c:cluster d:global e:global
update secrets rook-ceph-mgr-a-keyring
create deployments rook-ceph-mgr-a 409
create configmaps rook-ceph-osd-node-0-status
update deployments rook-ceph-osd-0
delete configmaps rook-ceph-osd-node-0-status
update configmaps rook-ceph-mon-endpoints c:cluster d:global e:global max=4 out=c
update deployments rook-ceph-mon-c c:cluster replicas=0
create deployments rook-ceph-mon-f-canary
delete deployments rook-ceph-mon-f-canary
create services rook-ceph-mon-f
write configmaps rook-ceph-mon-endpoints c:cluster d:global e:global f:cluster max=4 out=c
write endpointslices rook-ceph-active-mons-ipv4 c:cluster d:global e:global f:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
update secrets rook-ceph-config d:global e:global f:cluster
update cephconnections rook-ceph c:cluster d:global e:global f:cluster
update clientprofiles rook-ceph
create deployments rook-ceph-mon-f f:cluster replicas=1
update configmaps rook-ceph-mon-endpoints c:cluster d:global e:global f:global max=5 out=c
write configmaps rook-ceph-mon-endpoints c:cluster d:global e:global f:cluster max=5 out=c
write endpointslices rook-ceph-active-mons-ipv4 c:cluster d:global e:global f:cluster
delete endpointslices rook-ceph-active-mons-ipv6 404
