"""No secret of any kind survives, and what helps to find a cause does."""
from __future__ import annotations

import time

import pytest

from ansible_collections.emr.cluster.plugins.module_utils.domain.text.masking import MASK, Masker, mask

SECRET = "hUnter2-Zq9/x+Y"
PLANTED = [
    f"  <property><name>fs.oss.accessKeySecret</name><value>{SECRET}</value></property>",
    f"<property>\n  <name>fs.s3a.secret.key</name>\n  <value>{SECRET}</value>\n</property>",
    f"<property>\n  <name>javax.jdo.option.ConnectionPassword</name>\n  <description>x</description>\n  <value>{SECRET}</value>",
    f"export MYSQL_PASSWORD={SECRET}", f"MYSQL_PASSWORD='{SECRET}'", f"password: {SECRET}", f'  "password": "{SECRET}",',
    f"'securityToken': '{SECRET}'", f'{{"db": {{"user": "x", "accessKeySecret":"{SECRET}", "port": 3306}}}}',
    f"spark.hadoop.fs.oss.accessKeySecret {SECRET}", f"spark.ssl.keyPassword={SECRET}",
    f"java -Dfs.oss.accessKeySecret={SECRET} -Xmx1g Main", f"mysql --user root --password {SECRET} db",
    f"sqoop --connect x --password={SECRET}", f"jdbc:mysql://host/db?user=root&password={SECRET}&useSSL=true",
    f"https://user:{SECRET}@host/path", f"redis://:{SECRET}@cache:6379", f"Authorization: OSS abc:{SECRET}",
    f"authorization: Bearer {SECRET}", f"x-oss-security-token: {SECRET}", f"Cookie: hadoop.auth={SECRET}",
    f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\nAAAA\n-----END RSA PRIVATE KEY-----\nafter",
    f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n",
    f"2026-11-24 10:00:00 INFO Main: passwd={SECRET} rest", f"secret_key = {SECRET}", f"client_secret: '{SECRET}'",
]


@pytest.mark.parametrize("text", PLANTED)
def test_a_planted_secret_is_gone(text):
    masked = mask(text)
    assert SECRET not in masked and MASK in masked


@pytest.mark.parametrize("word", ["LTAI5tAbCdEfGhIjKlMnOpQr", "STS.NUabcdefghijk12345", "AKIAIOSFODNN7EXAMPLE",
                                  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjMifQ.abc-def_1"])
def test_a_secret_is_known_by_its_form(word):
    assert word not in mask(f"the caller is {word}, from 10.0.0.1") and "from 10.0.0.1" in mask(f"{word}, from 10.0.0.1")


KEPT = [
    "<property><name>dfs.replication</name><value>2</value></property>",
    "<property><name>hadoop.security.credential.provider.path</name><value>jceks://file/etc/x.jceks</value></property>",
    "<property><name>dfs.block.access.token.enable</name><value>false</value></property>",
    "<property><name>yarn.nm.liveness-monitor.expiry-interval-ms</name><value>600000</value></property>",
    "2026-11-24 10:00:00,123 INFO org.apache.hadoop.hdfs.server.namenode.FSNamesystem: number of blocks: 12",
    "http://10.77.1.2:9870/dfshealth.html", "hdfs://demo-master-001:8020/user/emr/part-00000",
    "2026-11-24 INFO DelegationTokenSecretManager: Updating the current master key for generating delegation tokens",
    "JAVA_HOME=/usr/lib/jvm/java-17-openjdk-amd64", "dfs.namenode.delegation.token.max-lifetime=604800000",
]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_secret_stays(text):
    assert mask(text) == text


def test_lines_and_what_follows_a_key_stay():
    text = f"a\r\npassword={SECRET}\r\n-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\nend\n"
    masked = mask(text)
    assert masked.count("\n") == text.count("\n") and masked.endswith("end\n") and masked.startswith("a\r\n")


def test_a_secret_that_the_caller_knows_is_gone_wherever_it_stands():
    assert Masker(["abc123def"]).line("so abc123def it is\n") == f"so {MASK} it is\n"


def test_masking_twice_changes_nothing_more():
    for text in PLANTED:
        assert mask(mask(text)) == mask(text)


def test_a_long_line_takes_no_long_time():
    begun = time.monotonic()
    mask("password" * 40000 + " " + "x." * 200000 + "token\n" + '"' * 100000)
    assert time.monotonic() - begun < 3
