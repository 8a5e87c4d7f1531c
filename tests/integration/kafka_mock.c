// SPDX-License-Identifier: Apache-2.0
// kafka_mock TOPIC PARTITIONS: a Kafka cluster of one broker on loopback, by librdkafka's own mock. Prints its
// bootstrap servers. SIGUSR1 takes the broker down, SIGUSR2 brings it up again with what it has; SIGTERM ends.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char** argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: kafka_mock TOPIC PARTITIONS\n");
        return 2;
    }
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigaddset(&signals, SIGTERM);
    sigprocmask(SIG_BLOCK, &signals, NULL);  // in all threads: sigwait() takes them

    char error[512];
    rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), error, sizeof error);
    if (!client) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    rd_kafka_mock_cluster_t* cluster = rd_kafka_mock_cluster_new(client, 1);
    if (!cluster || rd_kafka_mock_topic_create(cluster, argv[1], atoi(argv[2]), 1) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        fprintf(stderr, "no cluster\n");
        return 1;
    }
    printf("%s\n", rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    int number = 0;
    while (sigwait(&signals, &number) == 0 && number != SIGTERM) {
        if (number == SIGUSR1)
            rd_kafka_mock_broker_set_down(cluster, 1);
        else
            rd_kafka_mock_broker_set_up(cluster, 1);
    }
    rd_kafka_mock_cluster_destroy(cluster);
    rd_kafka_destroy(client);
    return 0;
}
