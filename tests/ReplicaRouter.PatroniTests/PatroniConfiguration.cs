namespace ReplicaRouter.PatroniTests;

/// <summary>The configuration file of one Patroni node.</summary>
internal static class PatroniConfiguration
{
    // The shortest times that Patroni permits: the minimum ttl is 20, and loop_wait + 2 * retry_timeout must not exceed it.
    internal static string Of(PatroniSetup setup, string name, int port, int apiPort, string dataDirectory, string passwordFile) => $"""
        scope: {PatroniSetup.Scope}
        name: {name}
        restapi:
          listen: {PatroniSetup.Host}:{apiPort}
          connect_address: {PatroniSetup.Host}:{apiPort}
        etcd3:
          host: {PatroniSetup.Host}:{setup.EtcdPort}
        bootstrap:
          dcs:
            ttl: 20
            loop_wait: 1
            retry_timeout: 3
            postgresql:
              use_pg_rewind: true
          initdb: [encoding: UTF8, locale: C, auth: scram-sha-256, no-sync]
        postgresql:
          listen: {PatroniSetup.Host}:{port}
          connect_address: {PatroniSetup.Host}:{port}
          bin_dir: {setup.Binaries}
          data_dir: {dataDirectory}
          pgpass: {passwordFile}
          basebackup: [checkpoint: fast, no-sync]
          authentication:
            superuser: &superuser
              username: {PatroniSetup.Superuser}
              password: {setup.Password}
            replication:
              username: replicator
              password: {setup.Password}
            rewind: *superuser
          pg_hba:
            - host all all {PatroniSetup.Host}/32 scram-sha-256
            - host replication replicator {PatroniSetup.Host}/32 scram-sha-256
          parameters:
            fsync: 'off'
            shared_buffers: 16MB
            wal_retrieve_retry_interval: 100ms
            dynamic_shared_memory_type: mmap
            unix_socket_directories: ''
            logging_collector: 'off'
            lc_messages: C
        """ + "\n";
}
