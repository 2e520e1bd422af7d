"""A client that stays connected, and once a second writes an RBD image and an object, reads both again, and asks for the status.

Arguments: pool, image, and a file whose appearance ends it. It prints a line of JSON for each thing that it did.
"""

import json
import os
import sys
import threading
import time

import rados
import rbd

POOL, IMAGE, END = sys.argv[1:]
BLOCK = 4096
printing = threading.Lock()


def once_a_second(what, do):
    while not os.path.exists(END):
        began = time.time()
        line = {"what": what, "began": began}
        try:
            line.update(do())
        except Exception as failure:  # any failure of Ceph's bindings is one that is to be told
            line["failure"] = repr(failure)
        line["took"] = time.time() - began
        with printing:
            print(json.dumps(line), flush=True)
        time.sleep(max(0, began + 1 - time.time()))


def same(written, read):
    return {} if written == read else {"failure": "what was read is not what was written"}


cluster = rados.Rados(name="client.admin")
cluster.conf_parse_env("CEPH_ARGS")
# What is read is to come from an OSD.
cluster.conf_set("rbd_cache", "false")
cluster.connect(timeout=30)
pool = cluster.open_ioctx(POOL)
image = rbd.Image(pool, IMAGE)
blocks = image.size() // BLOCK
turn = 0


def write_image():
    global turn
    offset, data = turn % blocks * BLOCK, os.urandom(BLOCK)
    turn += 1
    image.write(data, offset)
    image.flush()
    return same(data, image.read(offset, BLOCK))


def write_object():
    data = os.urandom(BLOCK)
    pool.write_full("steady", data)
    return same(data, pool.read("steady", BLOCK))


def ask():
    code, out, text = cluster.mon_command(json.dumps({"prefix": "status", "format": "json"}), b"")
    if code != 0:
        return {"failure": text}
    status = json.loads(out)
    return {"quorum": len(status["quorum_names"]), "mons": status["monmap"]["num_mons"], "osdsUp": status["osdmap"]["num_up_osds"]}


threads = [threading.Thread(target=once_a_second, args=each) for each in (("image", write_image), ("object", write_object), ("status", ask))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
image.close()
pool.close()
cluster.shutdown()
