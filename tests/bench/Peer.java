import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.StringWriter;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import javax.xml.XMLConstants;
import javax.xml.transform.stream.StreamSource;
import javax.xml.validation.Schema;
import javax.xml.validation.SchemaFactory;
import net.sf.saxon.s9api.Processor;
import net.sf.saxon.s9api.Serializer;
import net.sf.saxon.s9api.XdmNode;
import net.sf.saxon.s9api.Xslt30Transformer;
import net.sf.saxon.s9api.XsltExecutable;

/**
 * A warm Java peer. `saxon SCHEMA SHEET...` validates against the schema and runs the stylesheets by Saxon-HE, as Java
 * validators do; `mustang` asks Mustang's validator. Reads paths from standard input; answers each with wall and
 * processor milliseconds on one line, after a line "ready".
 */
public class Peer {
    interface Judge {
        void judge(File file) throws Exception;
    }

    public static void main(String[] args) throws Exception {
        PrintStream answers = System.out;
        System.setOut(new PrintStream(OutputStream.nullOutputStream()));
        System.setErr(new PrintStream(OutputStream.nullOutputStream()));
        Judge judge = args[0].equals("saxon") ? saxon(args) : mustang();
        var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        answers.println("ready");
        answers.flush();
        BufferedReader paths = new BufferedReader(new InputStreamReader(System.in));
        for (String path = paths.readLine(); path != null; path = paths.readLine()) {
            long wall = System.nanoTime();
            long cpu = system.getProcessCpuTime();
            String failed = "";
            try {
                judge.judge(new File(path));
            } catch (Exception | Error error) {
                failed = " " + error.getClass().getSimpleName();
            }
            answers.println((System.nanoTime() - wall) / 1e6 + " " + (system.getProcessCpuTime() - cpu) / 1e6 + failed);
            answers.flush();
        }
    }

    static Judge saxon(String[] args) throws Exception {
        Schema schema = SchemaFactory.newInstance(XMLConstants.W3C_XML_SCHEMA_NS_URI).newSchema(new File(args[1]));
        Processor processor = new Processor(false);
        List<XsltExecutable> sheets = new ArrayList<>();
        for (int i = 2; i < args.length; i++) {
            sheets.add(processor.newXsltCompiler().compile(new StreamSource(new File(args[i]))));
        }
        return file -> {
            schema.newValidator().validate(new StreamSource(file));
            XdmNode document = processor.newDocumentBuilder().build(file);
            for (XsltExecutable sheet : sheets) {
                Xslt30Transformer run = sheet.load30();
                run.setGlobalContextItem(document);
                StringWriter report = new StringWriter();
                Serializer out = processor.newSerializer(report);
                run.applyTemplates(document, out);
            }
        };
    }

    static Judge mustang() {
        return file -> new org.mustangproject.validator.ZUGFeRDValidator().validate(file.getPath());
    }
}
