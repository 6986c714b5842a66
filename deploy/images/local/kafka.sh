#!/bin/sh
# What this project uses of Apache's Kafka image: KAFKA_A_B is the setting a.b (`__` is `_`, `___` is `-`), CLUSTER_ID,
# KAFKA_HEAP_OPTS. No file name may be expanded: Java reads the star of the class path.
set -euf
settings=/tmp/server.properties
: "${KAFKA_LOG_DIRS:=/var/lib/kafka/data}"
export KAFKA_LOG_DIRS

env | sed -n 's/^KAFKA_//p' | while IFS='=' read -r name value; do
    case $name in HEAP_OPTS | OPTS | JVM_PERFORMANCE_OPTS) continue ;; esac
    key=$(printf '%s' "$name" | sed 's/___/-/g; s/__/%/g; s/_/./g; s/%/_/g' | tr '[:upper:]' '[:lower:]')
    printf '%s=%s\n' "$key" "$value"
done >"$settings"

run="$JAVA -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn
    -Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info
    -Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.utils.AppInfoParser=info -cp /opt/kafka/libs/*"
if [ ! -e "$KAFKA_LOG_DIRS/meta.properties" ]; then
    $run kafka.tools.StorageTool format --cluster-id="${CLUSTER_ID:-Ym9va2luZy1pbWFnZXMtMQ}" --config="$settings" >/dev/null
fi
exec $run ${KAFKA_HEAP_OPTS:--Xms256m -Xmx512m} kafka.Kafka "$settings"
