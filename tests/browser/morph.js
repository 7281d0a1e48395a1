// A small DOM morph, as Idiomorph, morphdom and Turbo do it: the attributes, texts and children of
// a place become those of the HTML that a server has sent, and nodes of the same kind stay.
globalThis.morph = (place, html) => {
  const become = (old, fresh) => {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
      old.replaceWith(fresh);
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    }
    become.children(old, fresh);
  };
  become.children = (old, fresh) => {
    const [had, has] = [[...old.childNodes], [...fresh.childNodes]];
    has.forEach((node, index) => (had[index] ? become(had[index], node) : old.append(node)));
    for (const node of had.slice(has.length)) node.remove();
  };
  become.children(place, new DOMParser().parseFromString(html, "text/html").body);
};
