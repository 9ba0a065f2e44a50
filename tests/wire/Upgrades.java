import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

/** Java's own HttpClient, as it comes: with each first request over plain HTTP it offers to go on in HTTP/2. */
class Upgrades {
    static String post(HttpClient client, String url, HttpRequest.BodyPublisher body) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).POST(body).build();
        return client.send(request, BodyHandlers.ofString()).body().strip();
    }

    public static void main(String[] arguments) throws Exception {
        String echo = arguments[0] + "/echo";
        HttpClient client = HttpClient.newHttpClient();
        String length = post(client, echo, BodyPublishers.ofString("hello"));
        String chunked = post(HttpClient.newHttpClient(), echo,
            BodyPublishers.ofInputStream(() -> new ByteArrayInputStream("hello".getBytes())));
        String again = post(client, echo, BodyPublishers.ofString("hello"));
        String stream = post(HttpClient.newHttpClient(), arguments[0] + "/stream", BodyPublishers.ofString("hello"));
        System.out.printf("{\"length\": \"%s\", \"chunked\": \"%s\", \"again\": \"%s\", \"stream\": \"%s\"}",
            length, chunked, again, stream);
    }
}
