package sigillum.judge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Reads one request a line, answers one verdict a line, in order; see ../README.md for the fields. */
public final class Main {
    private static final long DEFAULT_LIMIT_MS = 20_000;

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err); // a library that prints must not break the lines
        ObjectMapper json = new ObjectMapper();
        Judge judge = new Judge();
        out.println("{\"ready\":true}"); // whatever goes wrong before this line is the installation, not a file
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            JsonNode request = json.readTree(line);
            ObjectNode answer = judgeWithin(request, judge, json);
            answer.set("id", request.path("id"));
            out.println(json.writeValueAsString(answer));
        }
        System.exit(0); // a file that ran out of time may still hold its thread
    }

    /** Each file has a thread of its own: after the limit the thread is left behind and the next file goes on. */
    private static ObjectNode judgeWithin(JsonNode request, Judge judge, ObjectMapper json) throws InterruptedException {
        long started = System.nanoTime();
        FutureTask<ObjectNode> task = new FutureTask<>(() -> judge.judge(request, json.createObjectNode()));
        // Deeply nested files are a verdict, not a crash: room for the recursion of the parsers.
        Thread thread = new Thread(null, task, "file", 16L << 20);
        thread.setDaemon(true);
        thread.start();
        ObjectNode answer;
        try {
            answer = task.get(request.path("limitMs").asLong(DEFAULT_LIMIT_MS), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            thread.interrupt();
            answer = refuse(json, "time limit");
        } catch (ExecutionException e) {
            answer = refuse(json, "not readable: " + e.getCause());
        }
        answer.put("ms", (System.nanoTime() - started) / 1_000_000);
        return answer;
    }

    private static ObjectNode refuse(ObjectMapper json, String reason) {
        ObjectNode answer = json.createObjectNode().put("word", "refuse");
        answer.putArray("reasons").add(reason);
        return answer;
    }
}
