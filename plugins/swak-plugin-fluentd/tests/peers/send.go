// Sends twenty events with Go's fluent-logger, which Docker's logging driver is made of; each is
// acknowledged. Usage: send PORT, or send PATH of a Unix socket.
package main

import (
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/fluent/fluent-logger-golang/fluent"
)

func main() {
	config := fluent.Config{
		TagPrefix: "peer", RequestAck: true, SubSecondPrecision: true, Timeout: 30 * time.Second,
		WriteTimeout: 30 * time.Second,
	}
	if port, err := strconv.Atoi(os.Args[1]); err == nil {
		config.FluentPort = port
	} else {
		config.FluentNetwork, config.FluentSocketPath = "unix", os.Args[1]
	}
	logger, err := fluent.New(config)
	if err != nil {
		panic(err)
	}
	for i := 0; i < 20; i++ {
		record := map[string]interface{}{
			"i": i, "text": "héllo", "list": []interface{}{1, 2.5, nil},
			"map": map[string]interface{}{"yes": true}, "big": strings.Repeat("x", i*100),
		}
		at := time.Unix(1700000000+int64(i), int64(i))
		if err := logger.PostWithTime("tag"+strconv.Itoa(i%2), at, record); err != nil {
			panic(err)
		}
	}
	if err := logger.Close(); err != nil {
		panic(err)
	}
}
