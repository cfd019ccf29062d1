# People on standard output. Try it: swak-samples test samples.swak.py
task(
     # made-up data
     in.DummyData(type="people"),
     # to standard output
     out.Stdout(),
     # start again after three seconds
     sleep(3)
)

# A log to one of two Fluentd servers. Try it: swak-samples test samples.swak.py -t 2
task(
      # follow the file
      in.FileTailing("/var/log/mylog.txt"),
      # a parser of one's own
      out.MyLogParser(),
      # gather for five minutes
      out.TimedBuffer("5M"),
      # when something fails
      failover(
        # Fluentd server 1
        out.Fluentd("192.168.0.1"),
        # Fluentd server 2
        out.Fluentd("169.168.0.2"),
        # when both fail, to a file
        last=out.File('/tmp/failed.txt'),
        # this machine's address says which one is tried first
        start_by="ip"
      )
)
