// A receiver that acts once: Go's standard library only.
//
//	SECRET=whsec_... LEDGER=ledger.jsonl PORT=3000 go run receiver.go
package main

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// isOurs: Standard Webhooks: one of the signatures is by a secret of ours, over what came, and fresh.
func isOurs(secrets [][]byte, h http.Header, body []byte) bool {
	sentAt, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	if err != nil || math.Abs(float64(time.Now().Unix()-sentAt)) > 300 {
		return false
	}
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, "%s.%d.", h.Get("webhook-id"), sentAt)
		mac.Write(body)
		expected := []byte("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		for _, given := range strings.Split(h.Get("webhook-signature"), " ") {
			if hmac.Equal([]byte(given), expected) {
				return true
			}
		}
	}
	return false
}

type entry struct {
	Key  string `json:"key"`
	Body string `json:"body"`
}

// ledger: the work is a line of the file, and the key is in it: both are there, or neither. (With a database: one
// transaction, and the key under a unique constraint.)
type ledger struct {
	mu   sync.Mutex
	file *os.File
	done map[string]bool
}

func openLedger(path string) (*ledger, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	l := &ledger{file: file, done: map[string]bool{}}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, err
		}
		l.done[e.Key] = true
	}
	return l, lines.Err()
}

func (l *ledger) actOnce(key string, body []byte) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done[key] {
		return false, nil
	}
	line, err := json.Marshal(entry{key, string(body)})
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	if err == nil {
		err = l.file.Sync()
	}
	l.done[key] = err == nil
	return err == nil, err
}

func main() {
	var secrets [][]byte
	for _, text := range strings.Split(os.Getenv("SECRET"), ",") {
		secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
		if err != nil {
			log.Fatal(err)
		}
		secrets = append(secrets, secret)
	}
	done, err := openLedger(os.Getenv("LEDGER"))
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 16<<20))
		if err != nil || !isOurs(secrets, r.Header, body) {
			http.Error(w, "not signed by us", http.StatusUnauthorized)
			return
		}
		acted, err := done.actOnce(r.Header.Get("Idempotency-Key"), body)
		switch {
		case err != nil:
			http.Error(w, "not done", http.StatusInternalServerError) // it will be sent again
		case acted:
			fmt.Fprintln(w, "done")
		default:
			fmt.Fprintln(w, "done before")
		}
	})
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %d\n", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, nil))
}
