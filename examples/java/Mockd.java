import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A part of a running mockd for one test. It has mocks, streams, counters and a journal of its own, which no other test
 * sees. Copy this class to your tests: it needs Java 11 and nothing else.
 */
public final class Mockd implements AutoCloseable {
    private static final int PATIENCE_S = 30;

    /** The base URL for the test's clients, which ends in {@code /~} and the key. */
    public final String url;
    private final String key = "java-" + UUID.randomUUID();
    private final String admin;
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** A part of the server at {@code MOCKD_ADMIN_URL}, by default {@code http://localhost:4290}. */
    public Mockd() {
        this(System.getenv().getOrDefault("MOCKD_ADMIN_URL", "http://localhost:4290"));
    }

    /** A part of the server that runs at an admin address. */
    public Mockd(String admin) {
        this.admin = admin;
        String health = call("GET", "/health", null);
        url = (admin.endsWith("/__mockd") ? admin.replace("/__mockd", "") : member(health, "mocks")) + "/~" + key;
    }

    /** Adds a mock, as in a mock file. Returns its ID. */
    public String add(String mock) {
        return member(call("POST", "/mocks?key=" + key, mock), "id");
    }

    /** Holds the next stream of a mock behind so many events. */
    public void holdAt(String mock, int events) {
        call("POST", "/mocks/" + mock + "/sse/hold?key=" + key, "{\"at\": " + events + ", \"upcoming\": 1}");
    }

    /** Waits until a stream of a mock is held. Returns its ID. */
    public String waitHeld(String mock) {
        String query = "?held=true&timeoutSeconds=" + PATIENCE_S + "&key=" + key;
        String answer = call("GET", "/mocks/" + mock + "/sse/wait" + query, null);
        if (member(answer, "ok").equals("true")) {
            return member(answer.substring(answer.indexOf("\"connections\"")), "id");
        }
        throw new AssertionError("expected a stream of " + mock + " to be held within " + PATIENCE_S + " s: " + answer);
    }

    /** Lets so many events of a stream out now, and holds it behind them. */
    public void step(String stream, int events) {
        call("POST", "/sse/connections/" + stream + "/step", "{\"count\": " + events + "}");
    }

    /** Lets a stream go on. */
    public void release(String stream) {
        call("POST", "/sse/connections/" + stream + "/release", null);
    }

    /** Pushes an event into a stream, as in a mock's list. */
    public void push(String stream, String event) {
        call("POST", "/sse/connections/" + stream + "/push", event);
    }

    /** Lets a fault strike a stream now, such as {@code reset} or {@code stall ms=50}. */
    public void cut(String stream, String fault) {
        call("POST", "/sse/connections/" + stream + "/cut", "\"" + fault + "\"");
    }

    /** Fails unless a request such as {@code POST /path} of this test has come so often. */
    public void verify(String method, String path, int times) {
        String request = "{\"method\": \"" + method + "\", \"path\": \"" + path + "\", \"key\": \"" + key + "\"}";
        String answer = call("POST", "/verify", "{\"request\": " + request + ", \"times\": " + times + "}");
        if (!member(answer, "ok").equals("true")) {
            throw new AssertionError(member(answer, "message").replace(" of the key '" + key + "'", ""));
        }
    }

    /** The answer of any operation of the admin API. {@code body} may be null. */
    public String call(String method, String path, String body) {
        HttpResponse<String> answer = send(method, path, body);
        if (answer.statusCode() >= 400) {
            throw new IllegalStateException(method + " " + path + ": " + answer.body());
        }
        return answer.body();
    }

    /** Ends the streams of the test, and forgets all that is kept for it. */
    @Override
    public void close() {
        send("DELETE", "/keys/" + key, null); // which says 404 if the test has used nothing
    }

    private HttpResponse<String> send(String method, String path, String body) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(admin + path))
            .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
            .header("Content-Type", "application/json")
            .timeout(Duration.ofSeconds(PATIENCE_S + 10))
            .build();
        try {
            return http.send(request, BodyHandlers.ofString());
        } catch (IOException error) {
            throw new IllegalStateException("no answer from " + admin + "; is a mockd serve running there?", error);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(error);
        }
    }

    /** The first member of that name, as text. */
    private static String member(String json, String name) {
        String value = "(?:\"((?:[^\"\\\\]|\\\\.)*)\"|([^,}\\]]*))";
        Matcher found = Pattern.compile("\"" + name + "\":\\s*" + value).matcher(json);
        if (!found.find()) {
            throw new IllegalStateException("no \"" + name + "\" in " + json);
        }
        return found.group(1) == null ? found.group(2) : found.group(1).replaceAll("\\\\([\"\\\\/])", "$1");
    }
}
