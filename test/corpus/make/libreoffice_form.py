"""Writes an OpenDocument text with form controls, which LibreOffice exports as an AcroForm.    python libreoffice_form.py OUTPUT.odt"""

import sys
import zipfile

NAMESPACES = ' '.join(f'xmlns:{k}="urn:oasis:names:tc:opendocument:xmlns:{v}:1.0"' for k, v in {
    'office': 'office', 'text': 'text', 'draw': 'drawing', 'form': 'form', 'svg': 'svg-compatible', 'style': 'style',
    'fo': 'xsl-fo-compatible'}.items()) + ' xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:ooo="http://openoffice.org/2004/office"'
SERVICE = 'form:control-implementation="ooo:com.sun.star.form.component.%s"'
CONTENT = f'''<?xml version="1.0" encoding="UTF-8"?>
<office:document-content {NAMESPACES} office:version="1.3"><office:body><office:text>
<office:forms form:automatic-focus="false" form:apply-design-mode="false"><form:form form:name="Form" form:apply-filter="true" {SERVICE % "Form"}>
<form:text form:name="Keeper" {SERVICE % "TextField"} xml:id="c1" form:id="c1" form:current-value="A. Larus"/>
<form:checkbox form:name="Lamp" {SERVICE % "CheckBox"} xml:id="c2" form:id="c2" form:label="The lamp is on" form:current-state="checked"/>
<form:text form:name="Remarks" {SERVICE % "TextField"} xml:id="c3" form:id="c3"/>
</form:form></office:forms>
<text:p>Watch list of the lighthouse</text:p>
<text:p><draw:control text:anchor-type="as-char" svg:width="8cm" svg:height="1cm" draw:control="c1"/></text:p>
<text:p><draw:control text:anchor-type="as-char" svg:width="8cm" svg:height="1cm" draw:control="c2"/></text:p>
<text:p><draw:control text:anchor-type="as-char" svg:width="8cm" svg:height="1cm" draw:control="c3"/></text:p>
</office:text></office:body></office:document-content>'''
MANIFEST = '''<?xml version="1.0" encoding="UTF-8"?>
<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">
<manifest:file-entry manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.text"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>'''

with zipfile.ZipFile(sys.argv[1], 'w') as odt:
    odt.writestr('mimetype', 'application/vnd.oasis.opendocument.text', zipfile.ZIP_STORED)
    odt.writestr('content.xml', CONTENT, zipfile.ZIP_DEFLATED)
    odt.writestr('META-INF/manifest.xml', MANIFEST, zipfile.ZIP_DEFLATED)
