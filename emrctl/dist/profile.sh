#!/bin/sh
# Records which classes Hadoop's programs load in real use: a whole cluster on this host, some jobs, the usual commands.
# profile.sh HADOOP WORK: writes WORK/lists/*. Run it in network and process namespaces of its own (cds.py does).
set -eu
H=$1 W=$2
ip link set lo up
mkdir -p "$W/conf" "$W/lists" "$W/logs"
property() { echo "<property><name>$1</name><value>$2</value></property>"; }
site() { { echo '<configuration>'; while read -r k v; do [ -z "$k" ] || property "$k" "$v"; done; echo '</configuration>'; } >"$W/conf/$1-site.xml"; }
site core <<EOF
fs.defaultFS hdfs://localhost:8020
hadoop.tmp.dir $W/data
hadoop.prometheus.endpoint.enabled true
EOF
site hdfs <<EOF
dfs.replication 1
dfs.namenode.safemode.extension 0
dfs.webhdfs.enabled true
EOF
site yarn <<EOF
yarn.resourcemanager.hostname localhost
yarn.resourcemanager.recovery.enabled true
yarn.resourcemanager.store.class org.apache.hadoop.yarn.server.resourcemanager.recovery.FileSystemRMStateStore
yarn.resourcemanager.fs.state-store.uri file://$W/data/rmstore
yarn.nodemanager.aux-services mapreduce_shuffle
yarn.nodemanager.vmem-check-enabled false
yarn.nodemanager.address localhost:8041
yarn.nodemanager.recovery.enabled true
yarn.nodemanager.recovery.supervised true
yarn.nodemanager.recovery.dir $W/data/nmstore
yarn.nodemanager.resource.memory-mb 3072
yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage 99
yarn.log-aggregation-enable true
yarn.scheduler.minimum-allocation-mb 256
EOF
site mapred <<EOF
mapreduce.framework.name yarn
mapreduce.application.classpath $H/share/hadoop/mapreduce/*
mapreduce.jobhistory.address localhost:10020
mapreduce.jobhistory.webapp.address localhost:19888
mapreduce.map.memory.mb 512
mapreduce.reduce.memory.mb 512
yarn.app.mapreduce.am.resource.mb 512
mapreduce.map.java.opts -Xmx300m
mapreduce.reduce.java.opts -Xmx300m
yarn.app.mapreduce.am.command-opts -Xmx300m
EOF
cp "$H/etc/hadoop/capacity-scheduler.xml" "$H/etc/hadoop/log4j.properties" "$W/conf/"
export HADOOP_CONF_DIR="$W/conf" HADOOP_LOG_DIR="$W/logs" EMR_CDS_DIR=/nonexistent HADOOP_HOME="$H"
PATH=$H/bin:$PATH
record() { echo "-XX:DumpLoadedClassList=$W/lists/$1 -XX:+UseSerialGC -Xmx256m"; }
export HDFS_NAMENODE_OPTS="$(record namenode)" HDFS_DATANODE_OPTS="$(record datanode)"
export YARN_RESOURCEMANAGER_OPTS="$(record resourcemanager)" YARN_NODEMANAGER_OPTS="$(record nodemanager)"
export MAPRED_HISTORYSERVER_OPTS="$(record historyserver)"

n=0
client() { n=$((n + 1)); HADOOP_CLIENT_OPTS="$(record "client$n")" timeout 180 "$@" >>"$W/logs/client.log" 2>&1; }
get() { curl -sS -m 10 -o /dev/null -f "http://localhost:$1"; }
await() {
  i=0
  until get "$1" 2>/dev/null; do
    i=$((i + 1)); [ $i -lt 240 ] || { echo "no answer on $1" >&2; tail -20 "$W"/logs/*.out >&2; exit 1; }
    sleep 0.5
  done
}
start() { "$@" >"$W/logs/$2.out" 2>&1 & pids="${pids-} $!"; }

HDFS_NAMENODE_OPTS="$(record format)" hdfs namenode -format -nonInteractive >"$W/logs/format.out" 2>&1
start hdfs namenode; await 9870/jmx
start hdfs datanode; start yarn resourcemanager; start yarn nodemanager
await 9864/jmx; await 8088/ws/v1/cluster/metrics; await 8042/ws/v1/node/info
client hdfs dfsadmin -safemode wait
curl -sS -m 10 -X PUT "http://localhost:9870/webhdfs/v1/tmp?op=MKDIRS&permission=1777&user.name=$(id -un)" >/dev/null
for dir in user user/job mr-history mr-history/tmp; do
  curl -sS -m 10 -X PUT "http://localhost:9870/webhdfs/v1/$dir?op=MKDIRS&permission=1777&user.name=$(id -un)" >/dev/null
done
curl -sS -m 10 -X PUT "http://localhost:9870/webhdfs/v1/user/job?op=SETOWNER&owner=job&group=hadoop&user.name=$(id -un)" >/dev/null
start mapred historyserver; await 19888/ws/v1/history/info
for page in 9870/prom 9864/prom 8088/prom 8042/prom 19888/prom 9870/dfshealth.html 8088/cluster 8042/node 19888/jobhistory \
  8088/ws/v1/cluster/nodes 8088/ws/v1/cluster/apps "9870/webhdfs/v1/?op=LISTSTATUS"; do get "$page" || echo "  $page failed" >&2; done
seq 20000 >"$W/input"
client hdfs dfs -mkdir -p /work/in
client hdfs dfs -put "$W/input" /work/in/
client hdfs dfs -ls -R /
client hdfs dfs -cat /work/in/input
client hdfs dfs -get /work/in/input "$W/output"
client hdfs dfs -setrep -w 1 /work/in/input
client hdfs dfsadmin -report
client hdfs dfsadmin -refreshNodes
client hdfs fsck /
client yarn node -list -all
client yarn rmadmin -refreshNodes
client yarn rmadmin -refreshQueues
client hadoop jar "$H"/share/hadoop/mapreduce/hadoop-mapreduce-examples-*.jar pi 1 10
client mapred streaming -D mapreduce.job.reduces=1 -input /work/in -output /work/out -mapper /bin/cat -reducer "/usr/bin/wc -l"
client hadoop distcp hdfs://localhost:8020/work/in hdfs://localhost:8020/work/copy
client yarn application -list -appStates ALL
client mapred job -list all
for page in 8088/ws/v1/cluster/apps 8088/cluster/apps 19888/ws/v1/history/mapreduce/jobs 9870/jmx 9864/jmx 8088/jmx 8042/jmx; do
  get "$page" || echo "  $page failed" >&2
done
# shellcheck disable=SC2086
kill $pids
for pid in $pids; do wait "$pid" || true; done
