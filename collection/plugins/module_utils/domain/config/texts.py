"""Texts of files of Hadoop and Spark that no setting changes."""
from __future__ import annotations

from ..resident.files import NOTE

JAVA_HOME = 'export JAVA_HOME="${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}"'

# Daemons that print have no log file of their own: the journal bounds what they and the host say. A person's own file with a later name wins.
JOURNAL = f"""# {NOTE}
[Journal]
SystemMaxUse=512M
RuntimeMaxUse=64M
"""

LOG4J = f"""# {NOTE}
hadoop.root.logger=INFO,console
hadoop.log.dir=.
hadoop.log.file=hadoop.log
hadoop.security.logger=INFO,NullAppender
hdfs.audit.logger=INFO,NullAppender
rm.audit.logger=INFO,NullAppender
nm.audit.logger=INFO,NullAppender
log4j.rootLogger=${{hadoop.root.logger}}
log4j.threshold=ALL
log4j.appender.NullAppender=org.apache.log4j.varia.NullAppender
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{{ISO8601}} %p %c{{2}}: %m%n
log4j.appender.RFA=org.apache.log4j.RollingFileAppender
log4j.appender.RFA.File=${{hadoop.log.dir}}/${{hadoop.log.file}}
log4j.appender.RFA.MaxFileSize=64MB
log4j.appender.RFA.MaxBackupIndex=8
log4j.appender.RFA.layout=org.apache.log4j.PatternLayout
log4j.appender.RFA.layout.ConversionPattern=%d{{ISO8601}} %p %c: %m%n
# Says once for each client that the Java implementations are used: true, wanted, and no news.
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
"""

LOG4J2 = f"""# {NOTE}
rootLogger.level=info
rootLogger.appenderRef.stderr.ref=console
appender.console.type=Console
appender.console.name=console
appender.console.target=SYSTEM_ERR
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{{yy/MM/dd HH:mm:ss}} %p %c{{1}}: %m%n%ex
logger.native.name=org.apache.hadoop.util.NativeCodeLoader
logger.native.level=error
"""
