// A server of streams as one writes it with net/http: marshal, write, flush for each event, a ticker for pauses.
package main

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"time"
)

const events = 500

type event struct {
	ID     string  `json:"id"`
	Type   string  `json:"type"`
	Symbol string  `json:"symbol"`
	Price  float64 `json:"price"`
	Volume int     `json:"volume"`
	Side   string  `json:"side"`
	Venue  string  `json:"venue"`
	At     string  `json:"at"`
	Note   string  `json:"note"`
}

type delta struct {
	Role    string  `json:"role,omitempty"`
	Content *string `json:"content,omitempty"`
}

type choice struct {
	Index        int     `json:"index"`
	Delta        delta   `json:"delta"`
	Logprobs     *string `json:"logprobs"`
	FinishReason *string `json:"finish_reason"`
}

type chunk struct {
	ID                string   `json:"id"`
	Object            string   `json:"object"`
	Created           int64    `json:"created"`
	Model             string   `json:"model"`
	ServiceTier       string   `json:"service_tier"`
	SystemFingerprint string   `json:"system_fingerprint"`
	Choices           []choice `json:"choices"`
}

var sample event
var ready []byte

func uuid() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func head(w http.ResponseWriter, kind string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
}

func write(w http.ResponseWriter, before string, value any, after string) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s%s%s", before, data, after)
	w.(http.Flusher).Flush()
	return err
}

func send(w http.ResponseWriter, value any) error { return write(w, "data: ", value, "\n\n") }

func times(count int, next func() event) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		head(w, "text/event-stream")
		for n := 0; n < count && send(w, next()) == nil; n++ {
		}
	}
}

func ndjson(w http.ResponseWriter, r *http.Request) {
	head(w, "application/x-ndjson")
	for n := 0; n < events && write(w, "", sample, "\n") == nil; n++ {
	}
}

func paced(w http.ResponseWriter, r *http.Request) {
	head(w, "text/event-stream")
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for send(w, sample) == nil {
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		}
	}
}

func idle(w http.ResponseWriter, r *http.Request) {
	head(w, "text/event-stream")
	ticker := time.NewTicker(15 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			fmt.Fprint(w, ": keepalive\n\n")
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	head(w, "text/event-stream")
	for r.Context().Err() == nil && send(w, sample) == nil {
	}
}

func plain(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(ready)
}

func chat(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Model    string `json:"model"`
		Stream   bool   `json:"stream"`
		Messages []struct {
			Content string `json:"content"`
		} `json:"messages"`
	}
	err := json.NewDecoder(r.Body).Decode(&body)
	tokens := 0
	if err == nil && len(body.Messages) > 0 {
		tokens = map[string]int{"short": 20, "long": 500}[body.Messages[len(body.Messages)-1].Content]
	}
	if !body.Stream || tokens == 0 {
		http.NotFound(w, r)
		return
	}
	head(w, "text/event-stream")
	part := chunk{"chatcmpl-" + uuid(), "chat.completion.chunk", time.Now().Unix(), body.Model, "default", "fp_peer", nil}
	say := func(d delta, finish *string) {
		part.Choices = []choice{{0, d, nil, finish}}
		send(w, part)
	}
	empty, word, stop := "", "word ", "stop"
	say(delta{"assistant", &empty}, nil)
	for range tokens {
		say(delta{"", &word}, nil)
	}
	say(delta{}, &stop)
	fmt.Fprint(w, "data: [DONE]\n\n")
}

func main() {
	text, err := os.ReadFile(os.Args[2])
	if err == nil {
		err = json.Unmarshal(text, &sample)
	}
	if err == nil {
		ready, err = os.ReadFile(os.Args[3])
	}
	if err != nil {
		log.Fatal(err)
	}
	same := func() event { return sample }
	http.HandleFunc("/events", times(events, same))
	http.HandleFunc("/uuid", times(events, func() event { e := sample; e.ID = uuid(); return e }))
	http.HandleFunc("/random", times(events, func() event { e := sample; e.Volume = 10000 + mathrand.IntN(90000); return e }))
	http.HandleFunc("/one", times(1, same))
	http.HandleFunc("/ndjson", ndjson)
	http.HandleFunc("/paced", paced)
	http.HandleFunc("/idle", idle)
	http.HandleFunc("/endless", endless)
	http.HandleFunc("/plain", plain)
	http.HandleFunc("POST /v1/chat/completions", chat)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
